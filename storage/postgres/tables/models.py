"""The table of model definitions; the managed ones are no rows but a file of the release."""

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Moment, Table


class ModelRow(Table):
    """One definition of a project. `tiers` holds the documents of its pricing tiers."""

    __tablename__ = "models"
    # The name comes last, since it is what a violation is about.
    __table_args__ = (UniqueConstraint("project_id", "unit", "start_date", "name", postgresql_nulls_not_distinct=True),)

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    match_pattern: Mapped[str]
    start_date: Mapped[Moment | None]
    unit: Mapped[str]
    tokenizer_id: Mapped[str]
    tokenizer_config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    tiers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

"""The table of gates."""

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Table


class GateRow(Table):
    """One gate of a project; its policy is what the API takes and shows."""

    __tablename__ = "gates"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    policy: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

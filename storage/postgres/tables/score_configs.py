"""The table of score configs."""

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Table


class ScoreConfigRow(Table):
    """One config of a project; it is archived and never deleted, since scores name it."""

    __tablename__ = "score_configs"
    __table_args__ = (Index("ix_score_configs_project_id_created_at", "project_id", "created_at"),)

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    data_type: Mapped[str]
    categories: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    min_value: Mapped[float | None]
    max_value: Mapped[float | None]
    description: Mapped[str | None]
    is_archived: Mapped[bool]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

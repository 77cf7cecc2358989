"""The table of experiments that the server runs itself."""

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Table


class PromptExperimentRow(Table):
    """One experiment; which of its items are done, the run that it makes tells."""

    __tablename__ = "prompt_experiments"
    __table_args__ = (
        Index("ix_prompt_experiments_project_id", "project_id"),
        Index("ix_prompt_experiments_status", "status"),
    )

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    plan: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str]
    message: Mapped[str]
    items: Mapped[int]
    done: Mapped[int]
    failures: Mapped[dict[str, str]] = mapped_column(JSONB)
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

"""The tables of backfills: what was asked, and the reports of their parts."""

from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Moment, Table


class BackfillRow(Table):
    """One backfill. `parts` says how it is cut, so that whoever resumes it does the same."""

    __tablename__ = "backfills"
    __table_args__ = (Index("ix_backfills_project_id", "project_id"),)

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    kind: Mapped[str]
    asked: Mapped[dict[str, Any]] = mapped_column(JSONB)
    is_trial: Mapped[bool] = mapped_column(Boolean)
    parts: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    error: Mapped[str]
    created_at: Mapped[Created]
    finished_at: Mapped[Moment | None]


class BackfillPartRow(Table):
    """A part: what it found, noted before anything is stored, and what was stored, when it is done."""

    __tablename__ = "backfill_parts"

    backfill_id: Mapped[str] = mapped_column(ForeignKey("backfills.id", ondelete="CASCADE"), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    found: Mapped[dict[str, Any]] = mapped_column(JSONB)
    stored: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

"""The tables of replays: what was begun, and the reports of their parts."""

from typing import Any

from sqlalchemy import Boolean, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Moment, Table


class ReplayRow(Table):
    """One replay. `plan` says up to where it reads and how it is cut, so that whoever resumes it does the same."""

    __tablename__ = "replays"
    __table_args__ = (Index("ix_replays_project_id", "project_id"),)

    id: Mapped[Id]
    project_id: Mapped[str]
    received_from: Mapped[Moment | None]
    received_before: Mapped[Moment | None]
    is_trial: Mapped[bool] = mapped_column(Boolean)
    plan: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Created]
    finished_at: Mapped[Moment | None]


class ReplayPartRow(Table):
    """A part: what it found, noted before anything is stored, and what was stored, when it is done."""

    __tablename__ = "replay_parts"

    replay_id: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    found: Mapped[dict[str, Any]] = mapped_column(JSONB)
    stored: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

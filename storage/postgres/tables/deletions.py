"""The tables of deletions: what was asked for and removed, and the tombstones that outlive the data."""

from typing import Any

from sqlalchemy import ARRAY, BigInteger, Index, Integer, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Moment, Table


class DeletionRow(Table):
    """One request. It refers to no other table: the report of a project's deletion outlives the project.

    `removed` has the counts of each lane under its number, and those of later maintenance under "log".
    """

    __tablename__ = "deletions"
    __table_args__ = (Index("ix_deletions_requested_at", "requested_at"),)

    id: Mapped[Id]
    project_id: Mapped[str]
    subject_type: Mapped[str]
    subjects: Mapped[list[str]] = mapped_column(ARRAY(String))
    requested_by: Mapped[str]
    requested_at: Mapped[Created]
    lanes: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    removed: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    finished_at: Mapped[Moment | None]


class TombstoneRow(Table):
    """One subject of one lane, deleted up to a position of its log."""

    __tablename__ = "tombstones"

    lane: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    segment: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    subject_type: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str]
    deletion_id: Mapped[str]

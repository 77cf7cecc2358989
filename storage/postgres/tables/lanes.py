"""The tables of lanes: who owns each one and how far it has flushed, and which projects it serves."""

from typing import Any

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Table


class LaneRow(Table):
    """One lane: the epoch of its owner, and the last position of its log that ClickHouse holds."""

    __tablename__ = "lanes"

    lane: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(BigInteger)
    checkpoint_epoch: Mapped[int | None] = mapped_column(BigInteger)
    checkpoint_segment: Mapped[int | None] = mapped_column(BigInteger)
    updated_at: Mapped[Created]


class LaneMapRow(Table):
    """One version of the lane map; the highest published one is in force, and at most one is pending."""

    __tablename__ = "lane_map"
    __table_args__ = (Index("uq_lane_map_pending", "state", unique=True, postgresql_where=text("state = 'pending'")),)

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]
    dedicated: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    shared: Mapped[list[int]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    state: Mapped[str] = mapped_column(server_default=text("'published'"))
    created_at: Mapped[Created]


class LaneYieldRow(Table):
    """A lane that has given up what a pending map takes from it: flushed up to the segment of its `moved` records."""

    __tablename__ = "lane_yields"

    map_version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lane: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    segment: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[Created]


class GenerationRow(Table):
    """The upper part of the row versions that a lane writes for a project, from a segment of its log on.

    It outlives the project: without a reference, since the log does too.
    """

    __tablename__ = "generations"
    __table_args__ = (Index("ix_generations_lane", "lane"),)

    project_id: Mapped[str] = mapped_column(primary_key=True)
    lane: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    generation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    from_segment: Mapped[int] = mapped_column(BigInteger)
    map_version: Mapped[int | None]

"""The tables of lanes: who owns each one and how far it has flushed, and which projects it serves."""

from typing import Any

from sqlalchemy import BigInteger, text
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
    """One version of the lane map; the highest is in force."""

    __tablename__ = "lane_map"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]
    dedicated: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    created_at: Mapped[Created]

"""Where a lane stands: its owner's epoch, how far it is flushed, how far it is archived."""

from typing import NamedTuple

from sqlalchemy import select

from heliograph.domain.identifiers import LaneNumber
from storage.postgres.connection import Database
from storage.postgres.tables.compactions import CompactionRow
from storage.postgres.tables.lanes import LaneRow


class LaneMarks(NamedTuple):
    """Segment numbers, 0 for none yet."""

    epoch: int = 0
    checkpoint: int = 0
    cursor: int = 0


async def lane_marks(database: Database, lane: LaneNumber) -> LaneMarks:
    """Return the marks of one moment; all 0 for a lane that never had an owner."""
    query = (
        select(LaneRow.epoch, LaneRow.checkpoint_segment, CompactionRow.cursor_segment)
        .outerjoin(CompactionRow, CompactionRow.lane == LaneRow.lane)
        .where(LaneRow.lane == lane)
    )
    async with database.transaction() as session:
        row = (await session.execute(query)).one_or_none()
    return LaneMarks(*(value or 0 for value in row)) if row else LaneMarks()

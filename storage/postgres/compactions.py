"""How far the log of each lane is archived, and who archives it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.identifiers import LaneNumber
from heliograph.domain.lane_errors import CompactionRunning
from heliograph.domain.lanes import LogPosition
from storage.postgres.connection import Database, Lock
from storage.postgres.tables.compactions import CompactionRow


class CompactionProgress(NamedTuple):
    """The archive holds everything up to the cursor; a target tells that the range up to it may be half written."""

    cursor: LogPosition | None = None
    target: LogPosition | None = None


class Compactions:
    """The cursor of every lane's compaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def exclusively(self, lane: LaneNumber) -> AsyncIterator[Lock]:
        """Be the only one that compacts the lane; raises CompactionRunning when another does."""
        async with self._database.lock(f"compaction of lane {lane}") as lock:
            if lock is None:
                raise CompactionRunning(int(lane))
            yield lock

    async def progress(self, lane: LaneNumber) -> CompactionProgress:
        """Return where the compaction of the lane stands."""
        query = select(CompactionRow).where(CompactionRow.lane == lane)
        async with self._database.transaction() as session:
            row = await session.scalar(query)
        if row is None:
            return CompactionProgress()
        return CompactionProgress(
            _position(row.cursor_epoch, row.cursor_segment), _position(row.target_epoch, row.target_segment)
        )

    async def aim(self, lane: LaneNumber, target: LogPosition) -> None:
        """Record the end of a range before any of it is written: a repetition writes the same range again."""
        await self._set(lane, target_epoch=target.epoch, target_segment=target.segment)

    async def reach(self, lane: LaneNumber, target: LogPosition) -> None:
        """Record that the archive holds everything up to the target."""
        await self._set(
            lane,
            cursor_epoch=target.epoch,
            cursor_segment=target.segment,
            target_epoch=None,
            target_segment=None,
        )

    async def _set(self, lane: LaneNumber, **values: int | None) -> None:
        writing = insert(CompactionRow).values(lane=lane, **values)
        writing = writing.on_conflict_do_update(index_elements=["lane"], set_={**values, "updated_at": func.now()})
        async with self._database.transaction() as session:
            await session.execute(writing)


def _position(epoch: int | None, segment: int | None) -> LogPosition | None:
    return None if epoch is None or segment is None else LogPosition(epoch, segment)

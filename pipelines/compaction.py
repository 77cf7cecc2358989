"""Compaction: the flushed part of a lane's log becomes archive files, and its old segments are freed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from heliograph import telemetry
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import LaneNumber
from heliograph.domain.lane_errors import CompactionRunning
from heliograph.domain.lanes import LogPosition
from heliograph.settings import MaintenanceSettings, Settings
from storage.objects import connection as objects
from storage.objects.archive import Archive
from storage.objects.archive_index import ArchiveIndex
from storage.objects.archive_merge import ArchiveMerge, Merged
from storage.objects.archiver import Archived, Archiver
from storage.objects.log_upkeep import Freed, LogUpkeep
from storage.objects.omission import ArchiveSweep, Omission
from storage.objects.raw_log import ListedSegment, RawLog
from storage.postgres.compactions import Compactions
from storage.postgres.connection import Database, Lock
from storage.postgres.deletions import Deletions
from storage.postgres.lanes import LaneRegistry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_log = telemetry.logger("compaction")


@dataclass
class Compacted:
    """What the compaction of one lane did."""

    lane: int
    archived: Archived = field(default_factory=Archived)
    freed: Freed = field(default_factory=Freed)
    merged: Merged = field(default_factory=Merged)


@dataclass(frozen=True)
class CompactionProgress:
    """How far the archiving of a lane has come: the segment just read, and the last one that is flushed."""

    lane: int
    segment: int
    through: int


@dataclass(frozen=True)
class CompactionStores:
    """What a compaction reads and writes."""

    client: "S3Client"
    bucket: str
    registry: LaneRegistry
    compactions: Compactions
    deletions: Deletions
    database: Database


class Compaction:
    """Compacts one lane. It may be killed at any moment: what it repeats it overwrites."""

    def __init__(
        self,
        stores: CompactionStores,
        lane: LaneNumber,
        settings: MaintenanceSettings,
        *,
        on_progress: Callable[[CompactionProgress], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._stores = stores
        self._lane = lane
        self._settings = settings
        self._on_progress = on_progress
        self._now = now
        self._log = RawLog(stores.client, stores.bucket, lane)
        self._archiver = Archiver(stores.client, stores.bucket, lane, max_held_bytes=settings.max_held_bytes)
        self._upkeep = LogUpkeep(stores.client, stores.bucket, lane)
        archive, index = Archive(stores.client, stores.bucket), ArchiveIndex(stores.client, stores.bucket, lane)
        self._sweep = ArchiveSweep(archive, index, self._upkeep, lane=lane)
        self._merge = ArchiveMerge(
            archive,
            lane,
            max_file_bytes=settings.max_file_bytes,
            superseded_for=timedelta(seconds=settings.superseded_for_seconds),
        )

    async def run(self) -> Compacted:
        """Archive everything that is flushed, free what is old, merge the files of days that are over.

        Raises:
            CompactionRunning: another compacts this lane.
            Unavailable: a store did not answer; the next run goes on where this one ended.
        """
        done = Compacted(int(self._lane))
        async with self._stores.compactions.exclusively(self._lane) as lock:
            while await self._archive_range(lock, done.archived):
                pass
            cursor = (await self._stores.compactions.progress(self._lane)).cursor
            if cursor is not None:
                await self._free(cursor, done)
                done.merged = await asyncio.to_thread(self._merge.run, cursor.segment, self._now())
        # The process lives on for an hour until the next run: what Arrow keeps for it is others' memory meanwhile.
        pa.default_memory_pool().release_unused()
        _log.info("lane_compacted", **vars(done))
        return done

    async def _archive_range(self, lock: Lock, done: Archived) -> bool:
        """Archive the next range; whether there was one.

        The order that makes the promise: a range has its bounds before it has files, and all of its files before the
        cursor passes it.
        """
        # 1. Choose the range, or take up one that was interrupted. Only what ClickHouse holds is archived.
        cursor, pending = await self._stores.compactions.progress(self._lane)
        through = pending or await self._stores.registry.checkpoint(self._lane)
        first = cursor.segment + 1 if cursor else 1
        if through is None or through.segment < first:
            return False
        listed = await asyncio.to_thread(self._listed, cursor, through, is_repeated=pending is not None)
        if not listed:
            return False
        # 2. Record its end.
        target = listed[-1].position
        await self._stores.compactions.aim(self._lane, target)
        # 3. Take out of the older files, and of the log, what was deleted in this range.
        await lock.confirm()
        tombstones = await self._stores.deletions.tombstones(self._lane, from_segment=first)
        sweep = Omission(one for one in tombstones if one.segment <= target.segment)
        await asyncio.to_thread(self._sweep.run, sweep)
        # 4. Write its files, without what was deleted up to the checkpoint, then its index.
        await lock.confirm()
        omission = Omission(one for one in tombstones if one.segment <= through.segment)
        written = await asyncio.to_thread(self._write, listed, omission, first=first, through=through.segment)
        # 5. Record that it is archived.
        await lock.confirm()
        await self._stores.compactions.reach(self._lane, target)
        # 6. Tell the deletions what was removed.
        written.omitted = await self._report(sweep, omission)
        for name, count in vars(written).items():
            setattr(done, name, getattr(done, name) + count)
        return True

    def _listed(self, cursor: LogPosition | None, through: LogPosition, *, is_repeated: bool) -> list[ListedSegment]:
        """The objects of the next range: all up to its recorded end, or as many as one range holds."""
        chosen: list[ListedSegment] = []
        nbytes = 0
        for listed in self._log.segments_after(cursor):
            nbytes += listed.size
            is_full = len(chosen) == self._settings.max_range_segments or nbytes > self._settings.max_range_bytes
            if listed.position.segment > through.segment or (chosen and is_full and not is_repeated):
                break
            chosen.append(listed)
        return chosen

    def _write(self, listed: Sequence[ListedSegment], omission: Omission, *, first: int, through: int) -> Archived:
        def tell(segment: int) -> None:
            self._on_progress(CompactionProgress(int(self._lane), segment, through))

        return self._archiver.archive(first, listed, omission, on_segment=tell)

    async def _report(self, *omissions: Omission) -> int:
        removed = [counts for omission in omissions for counts in omission.removed.items()]
        for deletion_id, counts in removed:
            await self._stores.deletions.add_removed(deletion_id, counts)
        return sum(counts.log_records for _, counts in removed)

    async def _free(self, cursor: LogPosition, done: Compacted) -> None:
        # Without a checkpoint the lane is replayed from the start: nothing is certain to be flushed.
        checkpoint = await self._stores.registry.checkpoint(self._lane)
        if checkpoint is not None:
            through = min(cursor.segment, checkpoint.segment - 1)
            written_before = self._now() - timedelta(days=self._settings.free_after_days)
            done.freed = await asyncio.to_thread(self._upkeep.free, through, written_before)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[CompactionStores]:
    """The stores of these settings, for as long as the block takes."""
    database = Database(settings.postgres_dsn)
    try:
        client = objects.connect(settings.s3, settings.s3_url, timeout_seconds=60)
        registry, compactions = LaneRegistry(database), Compactions(database)
        yield CompactionStores(client, settings.s3.bucket, registry, compactions, Deletions(database), database)
    finally:
        await database.close()


async def compact_lanes(settings: Settings) -> list[Compacted]:
    """Compact every lane of the map, one after the other; a lane that cannot be compacted now costs no other."""
    done: list[Compacted] = []
    async with opened(settings) as stores:
        for number in range((await stores.registry.lane_map()).count):
            try:
                done.append(await Compaction(stores, LaneNumber(number), settings.maintenance).run())
            except (CompactionRunning, Unavailable) as error:
                _log.warning("compaction_waits", lane=number, reason=str(error))
    return done

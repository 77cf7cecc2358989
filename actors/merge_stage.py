"""The merge stage: a cursor of its own on the log, never on the acknowledgement path."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import pyarrow as pa

from actors.deletion_ledger import DeletionLedger
from actors.merge import Merge, MergedRows, Segment
from actors.removal import Removal
from actors.tombstones import Part, Tombstones
from heliograph import telemetry
from heliograph.domain.deletions import Tombstone
from heliograph.domain.errors import Unavailable
from heliograph.domain.events import MappedBatch
from heliograph.domain.lanes import LogPosition
from heliograph.settings import LaneSettings

_T = TypeVar("_T")
_log = telemetry.logger("merge_stage")
_RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0)
_MAX_WAIT_FOR_ROOM_SECONDS = 5.0
# A flush that takes longer than this counts as a stalled ClickHouse, for which no append waits.
_STALLED_AFTER_SECONDS = 5.0
_MAX_SEGMENTS_PER_FLUSH = 64
# So many segments that fail one by one, with none that succeeds, show that it is not they who are at fault.
_HOPELESS_SEGMENTS = 8
_RETRY_DEFECT_SECONDS = 5.0


class _Queued(NamedTuple):
    position: LogPosition
    batch: MappedBatch | None
    offered_at: float

    @property
    def nbytes(self) -> int:
        return self.batch.nbytes if self.batch else 0

    @property
    def rows(self) -> int:
        return self.batch.records.num_rows if self.batch else 0


@dataclass(frozen=True)
class SegmentLog:
    """What the stage tells the log and asks of it.

    Attributes:
        read: a segment that is no longer in memory.
        set_aside: leaves a note on a segment that is passed over.
        note_flushed: everything up to this position is stored.
        lightened: the segments with previews of what is too large for rows, once its whole is stored.
    """

    read: Callable[[LogPosition], MappedBatch]
    set_aside: Callable[[LogPosition, str], None]
    note_flushed: Callable[[LogPosition], None]
    lightened: Callable[[Sequence[Segment]], list[Segment]] = list


@dataclass(frozen=True)
class Burial:
    """What the stage does with tombstones: finds them, removes what lies below, and has both recorded."""

    tombstones: Tombstones
    removal: Removal
    ledger: DeletionLedger


@dataclass
class MergeMeter:
    """What one owner has merged so far."""

    records: int = 0
    flushes: int = 0
    reread: int = 0
    evicted: int = 0
    failures: int = 0
    set_aside: int = 0
    deletions: int = 0
    max_flush_seconds: float = 0.0


class Inserts(Protocol):
    """Where rows go; see `Writer`."""

    def insert(self, table: str, rows: pa.Table) -> None: ...


class MergeStage:
    """Merges committed segments in order and flushes their rows: by rows, bytes or age."""

    def __init__(
        self,
        merge: Merge,
        writer: Inserts,
        settings: LaneSettings,
        *,
        executor: Executor,
        log: SegmentLog,
        burial: Burial,
    ) -> None:
        self._merge = merge
        self._writer = writer
        self._settings = settings
        self._executor = executor
        self._log = log
        self._burial = burial
        self._queue: deque[_Queued] = deque()
        self._changed = asyncio.Event()
        self._drained = asyncio.Event()
        self._full_since: float | None = None
        self._flushed = asyncio.Event()
        self._flush_started_at: float | None = None
        self._is_failing = False
        self._is_closing = False
        self._queued_rows = 0
        self._stuck_segments = 0
        self._held_from: int | None = None
        # One at a time changes what is stored: a flush, or somebody between two of them.
        self._turn = asyncio.Lock()
        self._has_begun = asyncio.Event()
        self.backlog_bytes = 0
        self.cursor: LogPosition | None = None
        self.meter = MergeMeter()

    def hold(self, segment: int) -> None:
        """Merge nothing from this segment on until `release`."""
        self._held_from = segment

    def release(self) -> None:
        """Go on behind a `hold`."""
        self._held_from = None
        self._changed.set()

    async def flushed_to(self, segment: int) -> None:
        """Return when everything up to this segment is stored."""
        while self.cursor is None or self.cursor.segment < segment:
            self._flushed.clear()
            await self._flushed.wait()

    async def learn_subjects_of(self, projects: Sequence[str]) -> None:
        """Before a project's first events come here: what other lanes have stored of it is to be read back."""
        await self._until_it_succeeds(self._merge.learn_subjects_of, projects)

    def offer(self, position: LogPosition, batch: MappedBatch | None) -> None:
        """Queue a segment; its rows are dropped when the backlog is at its bound, and re-read from the log later."""
        if batch is not None and self.backlog_bytes + batch.nbytes > 2 * self._settings.max_backlog_bytes:
            batch = None
        queued = _Queued(position, batch, asyncio.get_running_loop().time())
        self._queue.append(queued)
        self.backlog_bytes += queued.nbytes
        self._queued_rows += queued.rows
        self._changed.set()

    def has_room(self) -> bool:
        """Whether a large append need not wait: while ClickHouse takes rows, re-reading would cost more than waiting.

        Now and then it need not although there is no room: no sender waits for ever.
        """
        now = asyncio.get_running_loop().time()
        if self.backlog_bytes <= self._settings.max_backlog_bytes or self.is_stalled:
            self._full_since = None
            return True
        self._full_since = self._full_since or now
        if now - self._full_since <= _MAX_WAIT_FOR_ROOM_SECONDS:
            return False
        self._full_since = None
        return True

    async def make_room(self, max_seconds: float) -> None:
        """Return when a flush has ended, or the time is over."""
        self._drained.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._drained.wait(), max_seconds)

    @property
    def is_stalled(self) -> bool:
        """Whether ClickHouse does not take rows at the moment."""
        started = self._flush_started_at
        slow = started is not None and asyncio.get_running_loop().time() - started > _STALLED_AFTER_SECONDS
        return self._is_failing or slow

    @property
    def oldest_age_seconds(self) -> float:
        """How long the oldest unflushed segment has waited."""
        if not self._queue:
            return 0.0
        return asyncio.get_running_loop().time() - self._queue[0].offered_at

    @property
    def waiting_segments(self) -> int:
        """How many committed segments are not flushed yet."""
        return len(self._queue)

    async def run(self) -> None:
        """Merge and flush until cancelled, or until `close` was called and all is flushed."""
        await self._until_it_succeeds(self._merge.learn_known_subjects)
        self._has_begun.set()
        while True:
            taken = await self._due()
            if not taken:
                return
            self._flush_started_at = asyncio.get_running_loop().time()
            async with self._turn:
                await self._flush(taken)
            self._flush_started_at = None

    @contextlib.asynccontextmanager
    async def between_flushes(self) -> AsyncIterator[None]:
        """What is stored is the block's alone to change, from the first flush on."""
        await self._has_begun.wait()
        async with self._turn:
            yield

    def close(self) -> None:
        """Flush what is queued now and let `run` return."""
        self._is_closing = True
        self._changed.set()

    async def _due(self) -> list[_Queued]:
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            if not self._queue or self._is_held(self._queue[0]):
                if self._is_closing:
                    return []
                await self._changed.wait()
                continue
            if self._stuck_segments and not await self._has_company():
                return []
            rows = self._queued_rows
            left = self._queue[0].offered_at + self._flush_after(rows) - loop.time()
            is_full = rows >= self._settings.max_flush_rows
            if left <= 0 or is_full or self._is_closing or self._queue[0].batch is None:
                return self._head()
            await asyncio.sleep(min(left, 0.02))

    async def _has_company(self) -> bool:
        """Wait for a segment that may succeed where those before it failed; False when the stage is to end."""
        with contextlib.suppress(TimeoutError):
            while len(self._queue) <= self._stuck_segments and not self._is_closing:
                await asyncio.wait_for(self._changed.wait(), _RETRY_DEFECT_SECONDS)
                self._changed.clear()
        return not self._is_closing

    def _flush_after(self, rows: int) -> float:
        """A busy lane makes fewer and larger parts, which spares ClickHouse merges; a quiet one shows rows sooner."""
        is_busy = rows >= self._settings.busy_rows
        return self._settings.busy_flush_after_seconds if is_busy else self._settings.flush_after_seconds

    def _head(self) -> list[_Queued]:
        """The next segments of equal generations, up to the bounds; they stay queued until they are flushed."""
        head: list[_Queued] = []
        rows = 0
        for queued in self._queue:
            is_full = rows + queued.rows > self._settings.max_flush_rows or len(head) == _MAX_SEGMENTS_PER_FLUSH
            if is_full and len(head) > self._stuck_segments:
                break
            if self._is_held(queued):
                break
            # A head that is stuck looks further all the same: its segments are stored one by one.
            if head and not self._stuck_segments and not self._merge.may_join(head[-1].position, queued.position):
                break
            head.append(queued)
            rows += queued.rows
        return head

    def _is_held(self, queued: _Queued) -> bool:
        return self._held_from is not None and queued.position.segment >= self._held_from

    async def _flush(self, taken: Sequence[_Queued]) -> None:
        """The order that makes the promise: rows first, then the checkpoint, and only then may state be evicted."""
        # 1. Store the rows of these segments; after a defect, of each that can be stored.
        try:
            taken, records = await self._store(taken)
        except Exception as defect:  # noqa: BLE001 - whatever it is, one segment's defect must not stop the others
            taken, records = await self._store_each(taken, defect)
        if not taken:
            return
        # 2. Note the checkpoint; it is recorded beside the flushes.
        self.cursor = taken[-1].position
        self._log.note_flushed(self.cursor)
        # 3. Forget the segments.
        for queued in taken:
            self._queue.popleft()
            self.backlog_bytes -= queued.nbytes
            self._queued_rows -= queued.rows
        self._stuck_segments = 0
        self.meter.records += records
        self.meter.flushes += 1
        started = self._flush_started_at or 0.0
        self.meter.max_flush_seconds = max(self.meter.max_flush_seconds, asyncio.get_running_loop().time() - started)
        self._drained.set()
        self._flushed.set()

    async def _store(self, taken: Sequence[_Queued]) -> tuple[Sequence[_Queued], int]:
        """Store the rows of the first of these segments, as many as one insert should hold, and count their records."""
        # 1. Read again what was not held in memory.
        segments = await self._loaded_head(taken)
        # Nearly always one part: they end where a tombstone has to be resolved.
        for part in self._burial.tombstones.parts_of(segments):
            # 2. Store what is too large for rows, before any row names it.
            kept = await self._until_it_succeeds(self._log.lightened, part.segments)
            # 3. Merge into whole rows; states that are not cached are read back.
            rows = await self._until_it_succeeds(self._merge.rows_of, kept, part.tombstones)
            # 4. Insert: one Arrow stream a table, for all projects of the lane.
            await self._until_it_succeeds(self._insert, rows)
            # 5. Remove what lies below the tombstones.
            if part.tombstones or part.unresolved:
                await self._bury(part)
            # 6. The rows are stored, and only now: evict states down to the bound.
            self.meter.evicted += self._merge.settle(rows)
        return taken[: len(segments)], sum(segment.batch.records.num_rows for segment in segments)

    async def _bury(self, part: Part) -> None:
        """What is named goes first: whose traces the others mean must not be read from rows that lie below it."""
        if part.tombstones:
            await self._remove(part.tombstones)
        if part.unresolved:
            resolved = await self._until_it_succeeds(self._burial.removal.resolved, part.unresolved)
            await self._remove(resolved)
            self._merge.forget(resolved)

    async def _remove(self, tombstones: Sequence[Tombstone]) -> None:
        """The tombstones are recorded before the rows go: a replay from then on brings none of them back."""
        await self._burial.ledger.note(tombstones)
        removed = await self._until_it_succeeds(self._burial.removal.remove, tombstones)
        await self._burial.ledger.report(removed)
        self.meter.deletions += len(removed)
        _log.info("deleted", deletions=len(removed), tombstones=len(tombstones))

    async def _store_each(self, taken: Sequence[_Queued], defect: Exception) -> tuple[Sequence[_Queued], int]:
        """Segment by segment after a defect; one that fails is set aside once another has shown that it is at fault."""
        self._merge.forget_unsettled()
        records = 0
        failed: list[tuple[LogPosition, Exception]] = []
        for queued in taken:
            try:
                records += (await self._store([queued]))[1]
            except Exception as error:  # noqa: BLE001 - as above
                self._merge.forget_unsettled()
                failed.append((queued.position, error))
        if failed and not records:
            if len(failed) >= _HOPELESS_SEGMENTS:
                raise defect
            _log.error("segments_fail", segments=[position.segment for position, _ in failed], exc_info=defect)
            self._is_failing = True
            self._stuck_segments = len(taken)
            return [], 0
        for position, reason in failed:
            await self._until_it_succeeds(self._log.set_aside, position, repr(reason))
            self.meter.set_aside += 1
            _log.error("segment_set_aside", segment=position.segment, exc_info=reason)
        return taken, records

    async def _loaded_head(self, taken: Sequence[_Queued]) -> list[Segment]:
        segments: list[Segment] = []
        rows = nbytes = 0
        for queued in taken:
            segments.append(await self._loaded(queued))
            rows += segments[-1].batch.records.num_rows
            nbytes += segments[-1].batch.nbytes
            if rows >= self._settings.max_flush_rows or nbytes >= self._settings.max_backlog_bytes:
                break
        return segments

    async def _loaded(self, queued: _Queued) -> Segment:
        batch = queued.batch
        if batch is None:
            batch = await self._until_it_succeeds(self._log.read, queued.position)
            self.meter.reread += 1
        return Segment(queued.position, batch)

    def _insert(self, rows: MergedRows) -> None:
        self._writer.insert("observations", rows.observations)
        self._writer.insert("scores", rows.scores)
        self._writer.insert("traces", rows.traces)

    async def _until_it_succeeds(self, call: Callable[..., _T], *arguments: object) -> _T:
        """Call in the stage's thread, again and again while an engine is away. Appends go on meanwhile."""
        attempt = 0
        while True:
            try:
                result = await asyncio.get_running_loop().run_in_executor(self._executor, call, *arguments)
            except Unavailable as error:
                self._is_failing = True
                self.meter.failures += 1
                self._drained.set()
                _log.warning("merge_waits", reason=str(error), cause=str(error.__cause__)[:300], attempt=attempt)
                await asyncio.sleep(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
                attempt += 1
            else:
                self._is_failing = False
                return result

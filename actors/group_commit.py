"""Group commit: the appends of all callers become one segment of the log; only then are the callers answered."""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from actors.project_buffer import ProjectBuffers, Waiting
from heliograph import telemetry
from heliograph.domain.errors import HeliographError, Unavailable
from heliograph.domain.events import MappedBatch
from heliograph.domain.identifiers import LaneNumber
from heliograph.domain.lane_errors import LaneFenced
from heliograph.domain.lanes import MAX_RECORDS_PER_SEGMENT, LogPosition
from heliograph.settings import LaneSettings
from storage.objects import segments
from storage.objects.raw_log import Written

_T = TypeVar("_T")
_log = telemetry.logger("group_commit")
# A segment this large gains nothing from waiting for company.
_FULL_SEGMENT_BYTES = 1 << 20
# A project that waits with more than this can wait for the merge; its neighbours cannot be told apart from idle ones.
_QUIET_BYTES = 256 << 10
_LOOK_AGAIN_SECONDS = 0.05


class Log(Protocol):
    """The log that segments go to; see `RawLog`."""

    def new_nonce(self) -> str: ...

    def write(self, position: LogPosition, data: bytes, nonce: str, /) -> Written: ...


class Follower(Protocol):
    """The stage behind the log: it is offered every segment in order, and may ask the log to wait for it."""

    def has_room(self) -> bool:
        """Whether it takes more than a little: its backlog is below its bound, or does not move anyhow."""

    async def make_room(self, max_seconds: float) -> None:
        """Return when there may be room, or the time is over."""

    def offer(self, position: LogPosition, batch: MappedBatch | None) -> None:
        """Take over a segment; without a batch it is to be read from the log."""


@dataclass
class AppendMeter:
    """What one owner has appended so far."""

    records: int = 0
    segments: int = 0
    nbytes: int = 0
    failures: int = 0


class GroupCommit:
    """Appends to one lane's log: one PUT in flight, no holes in the numbers."""

    def __init__(
        self,
        log: Log,
        follower: Follower,
        settings: LaneSettings,
        *,
        executor: Executor,
        on_fenced: Callable[[], None],
    ) -> None:
        self._log = log
        self._follower = follower
        self._settings = settings
        self._executor = executor
        self._on_fenced = on_fenced
        self._buffers = ProjectBuffers(
            max_project_bytes=settings.max_project_bytes, max_bytes=settings.max_unacknowledged_bytes
        )
        self._unanswered: set[asyncio.Future[LogPosition]] = set()
        self._arrived = asyncio.Event()
        self._filled = asyncio.Event()
        self._finished_at = 0.0
        self._last_records = 0
        self._company = 0
        self._next = LogPosition(0, 0)
        self._lane = LaneNumber(0)
        self._is_fenced = False
        self._is_closing = False
        self.meter = AppendMeter()

    def open(self, lane: LaneNumber, first: LogPosition) -> None:
        """Start numbering at a position of a fresh epoch."""
        self._lane, self._next = lane, first

    @property
    def next_segment(self) -> int:
        """The number of the segment that is written now or next: none from here on was offered to the follower."""
        return self._next.segment

    async def answered(self) -> None:
        """Return when every append of now has its answer: its segment is part of the log, or it was refused."""
        if self._unanswered:
            await asyncio.wait(set(self._unanswered))

    async def append(self, project_id: str, batch: MappedBatch) -> LogPosition:
        """Return the batch's place in the log when it is durable there.

        Raises:
            Overloaded, Unavailable: nothing is promised; the same batch may be sent again.
            LaneFenced: this owner may append no more.
        """
        if self._is_fenced:
            raise LaneFenced(int(self._lane), self._next.epoch)
        if self._is_closing:
            raise Unavailable("This lane", 1.0)
        durable: asyncio.Future[LogPosition] = asyncio.get_running_loop().create_future()
        self._buffers.add(Waiting(project_id, batch, batch.nbytes, durable))
        self._arrived.set()
        if self._is_worth_writing:
            self._filled.set()
        self._unanswered.add(durable)
        durable.add_done_callback(self._unanswered.discard)
        # A caller that goes away takes back nothing: its batch will be part of the log.
        return await asyncio.shield(durable)

    @property
    def head(self) -> int:
        """The number of the last segment that was written, or skipped."""
        return max(0, self._next.segment - 1)

    async def run(self) -> None:
        """Commit segment after segment until cancelled, or until `close` was called and all is committed."""
        while not (self._is_closing and not self._buffers.records):
            await self._arrived.wait()
            await self._gather()
            waiting = await self._taken()
            if not self._buffers.records and not self._is_closing:
                self._arrived.clear()
            if waiting:
                await self._commit(waiting)
                self._finished_at = asyncio.get_running_loop().time()
                self._company = self._last_records + self._buffers.records

    async def _taken(self) -> list[Waiting]:
        """What the next segment takes: while the follower has no room, only what quiet projects wait with."""
        if not self._follower.has_room() and not self._is_closing:
            quiet = self._buffers.take_quiet(max_project_bytes=_QUIET_BYTES, max_records=MAX_RECORDS_PER_SEGMENT)
            if not quiet:
                await self._follower.make_room(_LOOK_AGAIN_SECONDS)
            return quiet
        return self._buffers.take(max_bytes=self._settings.max_segment_bytes, max_records=MAX_RECORDS_PER_SEGMENT)

    def fence(self) -> None:
        """Refuse every append from now on, those that wait included: this owner has ended."""
        self._is_fenced = True
        left = self._buffers.take(max_bytes=sys.maxsize, max_records=sys.maxsize)
        _answer(left, Unavailable("This lane", 1.0))

    def close(self) -> None:
        """Refuse further appends; `run` returns when the ones before are committed."""
        self._is_closing = True
        self._arrived.set()
        self._filled.set()

    async def _gather(self) -> None:
        """Small appends wait for company, which is under way: those whose answers went out with the last segment."""
        loop = asyncio.get_running_loop()
        spacing = self._settings.segment_spacing_seconds
        due_at = self._finished_at + (spacing if self._is_busy else spacing / 4)
        while not self._is_closing and not self._is_worth_writing and (left := due_at - loop.time()) > 0:
            self._filled.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._filled.wait(), left)

    @property
    def _is_busy(self) -> bool:
        return self._last_records >= self._settings.busy_segment_records

    @property
    def _is_worth_writing(self) -> bool:
        """Whether the segment is full, or everybody is back whom the last one answered or left waiting."""
        records = self._buffers.records
        return (
            records >= self._settings.full_segment_records
            or self._buffers.nbytes >= _FULL_SEGMENT_BYTES
            or (self._is_busy and records >= self._company)
        )

    async def _commit(self, waiting: list[Waiting]) -> None:
        try:
            batch = _in_log_order(MappedBatch.concat([one.batch for one in waiting]))
            data = await self._in_thread(segments.encode, batch.records)
            position = await self._write(data)
        except HeliographError as error:
            self.meter.failures += 1
            _answer(waiting, error)
            return
        except BaseException:
            self.fence()
            _answer(waiting, Unavailable("This lane", 1.0))
            raise
        self._last_records = batch.records.num_rows
        self.meter.records += self._last_records
        self.meter.segments += 1
        self.meter.nbytes += len(data)
        self._follower.offer(position, batch)
        _answer(waiting, position)

    async def _write(self, data: bytes) -> LogPosition:
        nonce = self._log.new_nonce()
        while not self._is_fenced:
            position = self._next
            written = await self._in_thread(self._log.write, position, data, nonce)
            if written is Written.FOREIGN:
                self._is_fenced = True
                _log.warning("lane_fenced", lane=self._lane, epoch=position.epoch, segment=position.segment)
                self._on_fenced()
                break
            self._next = LogPosition(position.epoch, position.segment + 1)
            if written is Written.OURS:
                return position
            # Bytes given up after a time-out have landed: they are part of the log, so they are merged too.
            self._follower.offer(position, None)
        raise LaneFenced(int(self._lane), self._next.epoch)

    async def _in_thread(self, call: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call, *arguments)


def _answer(waiting: list[Waiting], answer: LogPosition | Exception) -> None:
    for one in waiting:
        if one.durable.done():
            continue
        if isinstance(answer, Exception):
            one.durable.set_exception(answer)
        else:
            one.durable.set_result(answer)


def _in_log_order(batch: MappedBatch) -> MappedBatch:
    order: np.ndarray | None = segments.project_order(batch.records)
    return batch if order is None else batch.reordered(order)

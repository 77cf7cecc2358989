"""The way from a door to the lanes: concurrent requests are gathered for a few milliseconds into one call a lane."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from actors.lane import AppendOutcome, AppendStatus, PackedAppend
from heliograph import telemetry, tracing
from heliograph.domain.errors import Overloaded, Unavailable
from heliograph.domain.events import MappedBatch, pack
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lane_errors import WrongLane
from heliograph.domain.lanes import LaneMap
from heliograph.settings import IngestSettings

_RETRY_AFTER_SECONDS = 2.0
# A project with more than this on its way is called for apart from the others.
_HOT_BYTES = 256 << 10
# A project that moves is refused for as long as its old lane flushes; its senders wait here, up to ten seconds.
WAITS_FOR_A_MOVE = (0.0, 0.05, 0.1, 0.2, 0.4, *(0.75,) * 12)
_log = telemetry.logger("lane_client")


class LaneCall(Protocol):
    """One lane, wherever it runs. Raises Unavailable when it cannot be reached."""

    async def append(self, appends: Sequence[PackedAppend], map_version: int) -> list[AppendOutcome]:
        """One outcome for each append."""


class _Gathered(NamedTuple):
    project_id: ProjectId
    batch: MappedBatch
    map_version: int
    durable: asyncio.Future[None]
    traced: tracing.Parents = ()


class _Call(NamedTuple):
    """What is gathered for one call: of all quiet projects of a lane, or of one hot project."""

    lane: LaneNumber
    hot_project: ProjectId | None


class LaneClient:
    """Appends batches to the lanes that own them. One instance for each process and loop."""

    def __init__(
        self,
        lane_map: LaneMap,
        lane: Callable[[LaneNumber], LaneCall],
        settings: IngestSettings,
        *,
        read_map: Callable[[], Awaitable[LaneMap]],
        waits: tuple[float, ...] = WAITS_FOR_A_MOVE,
    ) -> None:
        self._map = lane_map
        self._read_map = read_map
        self._refreshing: asyncio.Task[None] | None = None
        self._lane = lane
        self._settings = settings
        self._waits = waits
        self._gathered: dict[_Call, list[_Gathered]] = {}
        self._gathered_bytes: dict[_Call, int] = {}
        self._unanswered_bytes: dict[ProjectId, int] = {}
        self._calls: set[asyncio.Task[None]] = set()

    async def append(self, batch: MappedBatch) -> None:
        """Return when every record of the batch is durable. All records are of one project.

        Raises:
            Overloaded: the project's buffer is full: 429.
            Unavailable: the lane or the log cannot be reached: 503. A part of the batch may be durable; sending it
                again is harmless.
        """
        if batch.records.num_rows == 0:
            return
        project_id = ProjectId(batch.records["project_id"][0].as_py())
        with tracing.step("append", records=batch.records.num_rows):
            await self._spread(project_id, batch, self._waits)

    async def _spread(self, project_id: ProjectId, batch: MappedBatch, waits: tuple[float, ...]) -> None:
        shares = self._shares(project_id, batch)
        await asyncio.gather(*(self._deliver(lane, project_id, share, waits=waits) for lane, share in shares))

    async def _deliver(
        self, lane: LaneNumber, project_id: ProjectId, share: MappedBatch, *, waits: tuple[float, ...]
    ) -> None:
        """Send what belongs to one lane; when it has moved, find its new place and send it there."""
        try:
            await self._gather(lane, project_id, share)
        except WrongLane:
            if not waits:
                raise Unavailable("The ingestion lane", _RETRY_AFTER_SECONDS) from None
            await asyncio.sleep(waits[0])
            await self._refresh()
            await self._spread(project_id, share, waits[1:])

    async def _refresh(self) -> None:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.get_running_loop().create_task(self._learn_map())
        await asyncio.shield(self._refreshing)

    async def _learn_map(self) -> None:
        try:
            lane_map = await self._read_map()
        except Unavailable as error:
            _log.warning("lane_map_not_read", reason=str(error))
            return
        if lane_map.version > self._map.version:
            self._map = lane_map

    async def append_to(self, batches: Mapping[LaneNumber, MappedBatch], /) -> None:
        """Return when each batch, whatever its subjects, is durable in the log of its lane; raises as `append` does.

        Raises:
            WrongLane: the lanes of the project change: find out again which ones to append to.
        """
        gathered = (
            self._gather(lane, ProjectId(batch.records["project_id"][0].as_py()), batch)
            for lane, batch in batches.items()
        )
        try:
            await asyncio.gather(*gathered)
        except WrongLane:
            await self._refresh()
            raise

    def _shares(self, project_id: ProjectId, batch: MappedBatch) -> list[tuple[LaneNumber, MappedBatch]]:
        lanes = self._map.lanes_of(project_id)
        if len(lanes) == 1:
            return [(lanes[0], batch)]
        owners = np.array([self._map.lane_of(project_id, subject) for subject in batch.records["subject"].to_pylist()])
        return [(lane, batch.reordered(np.flatnonzero(owners == lane))) for lane in lanes if (owners == lane).any()]

    async def _gather(self, lane: LaneNumber, project_id: ProjectId, batch: MappedBatch) -> None:
        loop = asyncio.get_running_loop()
        one = _Gathered(project_id, batch, self._map.version, loop.create_future(), tracing.parents())
        unanswered = self._unanswered_bytes.get(project_id, 0) + batch.nbytes
        self._unanswered_bytes[project_id] = unanswered
        # The lane answers a call when all of it is durable: nobody is to wait for a project that it holds back.
        call = _Call(lane, project_id if unanswered > _HOT_BYTES else None)
        queue = self._gathered.setdefault(call, [])
        queue.append(one)
        held = self._gathered_bytes.get(call, 0) + batch.nbytes
        self._gathered_bytes[call] = held
        if held >= self._settings.max_append_bytes:
            self._send(call)
        elif len(queue) == 1:
            loop.call_later(self._settings.gather_seconds, self._send, call)
        try:
            await one.durable
        finally:
            self._account_for(project_id, batch.nbytes)

    def _account_for(self, project_id: ProjectId, nbytes: int) -> None:
        left = self._unanswered_bytes[project_id] - nbytes
        if left:
            self._unanswered_bytes[project_id] = left
        else:
            del self._unanswered_bytes[project_id]

    def _send(self, call: _Call) -> None:
        gathered = self._gathered.pop(call, [])
        self._gathered_bytes.pop(call, None)
        if gathered:
            task = asyncio.get_running_loop().create_task(self._call(call.lane, gathered))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)

    async def _call(self, lane: LaneNumber, gathered: list[_Gathered]) -> None:
        by_project: dict[ProjectId, list[_Gathered]] = {}
        for one in gathered:
            by_project.setdefault(one.project_id, []).append(one)
        groups = list(by_project.items())
        try:
            appends = [
                PackedAppend(project_id, pack(MappedBatch.concat([one.batch for one in group])), _traced(group))
                for project_id, group in groups
            ]
            # The map may have changed since: what counts is the one by which the lane was chosen.
            outcomes = await self._lane(lane).append(appends, min(one.map_version for one in gathered))
        except Unavailable as error:
            outcomes = [AppendOutcome(AppendStatus.UNAVAILABLE, error.retry_after)] * len(groups)
        except Exception as error:  # noqa: BLE001 - whatever it is, each caller is to be answered
            _log.error("append_failed", lane=lane, exc_info=error)
            outcomes = [AppendOutcome(AppendStatus.UNAVAILABLE, _RETRY_AFTER_SECONDS)] * len(groups)
        for (_, group), outcome in zip(groups, outcomes, strict=True):
            for one in group:
                _answer(one.durable, outcome, WrongLane(int(lane), one.map_version))
        if any(outcome.map_version > self._map.version for outcome in outcomes):
            await self._refresh()


def _traced(group: list[_Gathered]) -> tracing.Parents:
    return tuple(span for one in group for span in one.traced)


def _answer(durable: asyncio.Future[None], outcome: AppendOutcome, moved: WrongLane) -> None:
    if durable.done():
        return
    if outcome.status is AppendStatus.DURABLE:
        durable.set_result(None)
    elif outcome.status is AppendStatus.OVERLOADED:
        durable.set_exception(Overloaded(outcome.retry_after))
    elif outcome.status is AppendStatus.WRONG_LANE:
        durable.set_exception(moved)
    else:
        durable.set_exception(Unavailable("The ingestion lane", outcome.retry_after or _RETRY_AFTER_SECONDS))

"""The way from a door to the lanes: concurrent requests are gathered for a few milliseconds into one call a lane."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from actors.lane import AppendOutcome, AppendStatus, PackedAppend
from heliograph import telemetry
from heliograph.domain.errors import Overloaded, Unavailable
from heliograph.domain.events import MappedBatch, pack
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneMap
from heliograph.settings import IngestSettings

_RETRY_AFTER_SECONDS = 2.0
_log = telemetry.logger("lane_client")


class LaneCall(Protocol):
    """One lane, wherever it runs. Raises Unavailable when it cannot be reached."""

    async def append(self, appends: Sequence[PackedAppend], map_version: int) -> list[AppendOutcome]:
        """One outcome for each append."""


class _Gathered(NamedTuple):
    project_id: ProjectId
    batch: MappedBatch
    durable: asyncio.Future[None]


class LaneClient:
    """Appends batches to the lanes that own them. One instance for each process and loop."""

    def __init__(self, lane_map: LaneMap, lane: Callable[[LaneNumber], LaneCall], settings: IngestSettings) -> None:
        self._map = lane_map
        self._lane = lane
        self._settings = settings
        self._gathered: dict[LaneNumber, list[_Gathered]] = {}
        self._gathered_bytes: dict[LaneNumber, int] = {}
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
        shares = self._shares(project_id, batch)
        await asyncio.gather(*(self._gather(lane, project_id, share) for lane, share in shares))

    async def append_to(self, batches: Mapping[LaneNumber, MappedBatch], /) -> None:
        """Return when each batch, whatever its subjects, is durable in the log of its lane; raises as `append` does."""
        await asyncio.gather(
            *(
                self._gather(lane, ProjectId(batch.records["project_id"][0].as_py()), batch)
                for lane, batch in batches.items()
            )
        )

    def _shares(self, project_id: ProjectId, batch: MappedBatch) -> list[tuple[LaneNumber, MappedBatch]]:
        lanes = self._map.lanes_of(project_id)
        if len(lanes) == 1:
            return [(lanes[0], batch)]
        owners = np.array([self._map.lane_of(project_id, subject) for subject in batch.records["subject"].to_pylist()])
        return [(lane, batch.reordered(np.flatnonzero(owners == lane))) for lane in lanes if (owners == lane).any()]

    async def _gather(self, lane: LaneNumber, project_id: ProjectId, batch: MappedBatch) -> None:
        loop = asyncio.get_running_loop()
        one = _Gathered(project_id, batch, loop.create_future())
        queue = self._gathered.setdefault(lane, [])
        queue.append(one)
        held = self._gathered_bytes.get(lane, 0) + batch.nbytes
        self._gathered_bytes[lane] = held
        if held >= self._settings.max_append_bytes:
            self._send(lane)
        elif len(queue) == 1:
            loop.call_later(self._settings.gather_seconds, self._send, lane)
        await one.durable

    def _send(self, lane: LaneNumber) -> None:
        gathered = self._gathered.pop(lane, [])
        self._gathered_bytes.pop(lane, None)
        if gathered:
            task = asyncio.get_running_loop().create_task(self._call(lane, gathered))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)

    async def _call(self, lane: LaneNumber, gathered: list[_Gathered]) -> None:
        by_project: dict[ProjectId, list[_Gathered]] = {}
        for one in gathered:
            by_project.setdefault(one.project_id, []).append(one)
        groups = list(by_project.items())
        try:
            appends = [
                PackedAppend(project_id, pack(MappedBatch.concat([one.batch for one in group])))
                for project_id, group in groups
            ]
            outcomes = await self._lane(lane).append(appends, self._map.version)
        except Unavailable as error:
            outcomes = [AppendOutcome(AppendStatus.UNAVAILABLE, error.retry_after)] * len(groups)
        except Exception as error:  # noqa: BLE001 - whatever it is, each caller is to be answered
            _log.error("append_failed", lane=lane, exc_info=error)
            outcomes = [AppendOutcome(AppendStatus.UNAVAILABLE, _RETRY_AFTER_SECONDS)] * len(groups)
        for (_, group), outcome in zip(groups, outcomes, strict=True):
            for one in group:
                _answer(one.durable, outcome)


def _answer(durable: asyncio.Future[None], outcome: AppendOutcome) -> None:
    if durable.done():
        return
    if outcome.status is AppendStatus.DURABLE:
        durable.set_result(None)
    elif outcome.status is AppendStatus.OVERLOADED:
        durable.set_exception(Overloaded(outcome.retry_after))
    else:
        durable.set_exception(Unavailable("The ingestion lane", outcome.retry_after or _RETRY_AFTER_SECONDS))

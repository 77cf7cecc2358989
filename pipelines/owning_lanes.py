"""The lanes that own the subjects of records, found by the map in force, which may change meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
import pyarrow as pa

from actors.recost_stage import RecostCounts
from actors.remap_stage import Remade
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneMap
from heliograph.domain.remapping import Remapped

_PAUSE_SECONDS = 0.5


Answer = TypeVar("Answer")


class RemappingLane(Protocol):
    """One lane, wherever it runs; see `Lane`."""

    async def remap(self, buffers: Sequence[pa.Buffer], map_version: int, *, is_trial: bool) -> Remade | None: ...

    async def recost(self, project_id: ProjectId, repriced: pa.Table, map_version: int) -> RecostCounts | None: ...


# What hands the records of these numbers to a lane, under a version of the map; None when it does not own them all.
Send = Callable[[RemappingLane, np.ndarray, int], Awaitable[Answer | None]]


class OwningLanes:
    """Hands records of one project to the lanes that own them, again and again while one is away or moves."""

    def __init__(
        self,
        project_id: ProjectId,
        lane: Callable[[LaneNumber], RemappingLane],
        read_map: Callable[[], Awaitable[LaneMap]],
        *,
        patience_seconds: float = 120.0,
    ) -> None:
        self._project_id = project_id
        self._lane = lane
        self._read_map = read_map
        self._patience_seconds = patience_seconds

    async def remap(self, remapped: Remapped, *, is_trial: bool) -> list[Remade]:
        """What became of the records; raises Unavailable when patience has ended."""

        async def send(lane: RemappingLane, numbers: np.ndarray, version: int) -> Remade | None:
            return await lane.remap(remapped.of(numbers).packed(), version, is_trial=is_trial)

        return await self._handed(remapped.batch.records["subject"], send)

    async def recost(self, repriced: pa.Table) -> list[RecostCounts]:
        """What became of rows that are priced anew, as `REPRICED`; raises Unavailable when patience has ended."""

        async def send(lane: RemappingLane, numbers: np.ndarray, version: int) -> RecostCounts | None:
            return await lane.recost(self._project_id, repriced.take(pa.array(numbers)), version)

        return await self._handed(repriced["trace_id"], send)

    async def _handed(self, subjects: pa.ChunkedArray, send: Send[Answer]) -> list[Answer]:
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await self._until_taken(subjects, send)
        except TimeoutError as error:
            raise Unavailable("The ingestion lane", _PAUSE_SECONDS) from error

    async def _until_taken(self, subjects: pa.ChunkedArray, send: Send[Answer]) -> list[Answer]:
        done: list[Answer] = []
        waiting = np.arange(len(subjects))
        while len(waiting):
            refused = []
            for lane, numbers, version in await self._shares(subjects, waiting):
                try:
                    one = await send(self._lane(lane), numbers, version)
                except Unavailable:
                    one = None
                if one is None:
                    refused.append(numbers)
                else:
                    done.append(one)
            waiting = np.sort(np.concatenate(refused)) if refused else waiting[:0]
            if refused:
                await asyncio.sleep(_PAUSE_SECONDS)
        return done

    async def _shares(self, subjects: pa.ChunkedArray, numbers: np.ndarray) -> list[tuple[LaneNumber, np.ndarray, int]]:
        lane_map = await self._read_map()
        lanes = lane_map.lanes_of(self._project_id)
        if len(lanes) == 1:
            return [(lanes[0], numbers, lane_map.version)]
        texts = subjects.take(pa.array(numbers)).to_pylist()
        owners = np.array([int(lane_map.lane_of(self._project_id, subject)) for subject in texts])
        return [(LaneNumber(int(lane)), numbers[owners == lane], lane_map.version) for lane in np.unique(owners)]

"""The lanes that own the subjects of records, found by the map in force, which may change meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa

from actors.remap_stage import Remade
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import LaneMap
from heliograph.domain.remapping import Remapped

_PAUSE_SECONDS = 0.5


class RemappingLane(Protocol):
    """One lane, wherever it runs; see `Lane.remap`."""

    async def remap(self, buffers: Sequence[pa.Buffer], map_version: int, *, is_trial: bool) -> Remade | None: ...


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
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await self._until_remapped(remapped, is_trial=is_trial)
        except TimeoutError as error:
            raise Unavailable("The ingestion lane", _PAUSE_SECONDS) from error

    async def _until_remapped(self, remapped: Remapped, *, is_trial: bool) -> list[Remade]:
        done: list[Remade] = []
        waiting = np.arange(len(remapped.lane))
        while len(waiting):
            refused = []
            for lane, numbers, version in await self._shares(remapped, waiting):
                try:
                    buffers = remapped.of(numbers).packed()
                    one = await self._lane(lane).remap(buffers, version, is_trial=is_trial)
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

    async def _shares(self, remapped: Remapped, numbers: np.ndarray) -> list[tuple[LaneNumber, np.ndarray, int]]:
        lane_map = await self._read_map()
        lanes = lane_map.lanes_of(self._project_id)
        if len(lanes) == 1:
            return [(lanes[0], numbers, lane_map.version)]
        subjects = remapped.batch.records["subject"].take(pa.array(numbers)).to_pylist()
        owners = np.array([int(lane_map.lane_of(self._project_id, subject)) for subject in subjects])
        return [(LaneNumber(int(lane)), numbers[owners == lane], lane_map.version) for lane in np.unique(owners)]

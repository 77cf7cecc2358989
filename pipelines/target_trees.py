"""The trees of targets: all observations of their traces, read for many targets at a time."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from heliograph.domain.identifiers import ProjectId, TraceId
from heliograph.domain.observations import Observation, observations_from
from heliograph.run_evaluator import TREE
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.observations import Observations

# What is asked for within it is one query.
_GATHERING_SECONDS = 0.01
_AT_ONCE = 64
_Tree = list[Observation]


class TargetTrees:
    """The trees of one project's targets; those that are asked for at about the same time are read together."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._observations = Observations(clickhouse, project_id)
        self._waiting: dict[TraceId, asyncio.Future[_Tree]] = {}
        self._reading: set[asyncio.Task[None]] = set()

    async def completed(self, row: Mapping[str, Any], columns: Collection[str]) -> Mapping[str, Any]:
        """A target's row with the column `trace`, if that is among those that are read; raises Unavailable."""
        return {**row, TREE: await self._of(TraceId(row["trace_id"]))} if TREE in columns else row

    async def _of(self, trace_id: TraceId) -> _Tree:
        if trace_id not in self._waiting:
            if not self._waiting:
                task = asyncio.create_task(self._read_soon())
                self._reading.add(task)
                task.add_done_callback(self._reading.discard)
            self._waiting[trace_id] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._waiting[trace_id])

    async def _read_soon(self) -> None:
        await asyncio.sleep(_GATHERING_SECONDS)
        waiting, self._waiting = self._waiting, {}
        try:
            found = await self._read(list(waiting))
        except Exception as error:  # noqa: BLE001 - told to those who wait
            for future in waiting.values():
                future.set_exception(error)
        else:
            for trace_id, future in waiting.items():
                future.set_result(found[trace_id])

    async def _read(self, trace_ids: Sequence[TraceId]) -> Mapping[TraceId, _Tree]:
        found: dict[TraceId, _Tree] = {trace_id: [] for trace_id in trace_ids}
        for start in range(0, len(trace_ids), _AT_ONCE):
            for observation in observations_from(
                await self._observations.of_traces(trace_ids[start : start + _AT_ONCE])
            ):
                found[TraceId(observation.trace_id)].append(observation)
        return found

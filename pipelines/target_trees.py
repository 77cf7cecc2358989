"""What hangs together with targets: all observations of a trace, all traces of a session; read for many at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Generic, TypeVar

from heliograph.domain.identifiers import ProjectId, SessionId, TraceId
from heliograph.domain.not_found import SessionNotFound
from heliograph.domain.observations import Observation, observations_from
from heliograph.domain.traces import Trace, traces_from
from heliograph.run_evaluator import TREES, key_of
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.observations import Observations
from storage.clickhouse.sessions import Sessions

Found = TypeVar("Found")
# What is asked for within it is one query.
_GATHERING_SECONDS = 0.01
_AT_ONCE = 64


class TargetTrees:
    """The trees of one project's targets."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._observations, self._sessions = Observations(clickhouse, project_id), Sessions(clickhouse, project_id)
        self._traces = _Gathered(self._of_traces)

    async def completed(self, row: Mapping[str, Any], columns: Collection[str]) -> Mapping[str, Any]:
        """A target's row with those of the columns `trace` and `session` that are asked for; raises Unavailable."""
        wanted, key = TREES.intersection(columns), key_of(row)
        found: dict[str, Sequence[Any]] = {}
        if "trace" in wanted and key.trace_id:
            found["trace"] = await self._traces.of(key.trace_id)
        if "session" in wanted and key.session_id:
            found["session"] = await self._of_session(key.session_id)
        return {**row, **found} if found else row

    async def _of_traces(self, trace_ids: Sequence[str]) -> Mapping[str, list[Observation]]:
        found: dict[str, list[Observation]] = {trace_id: [] for trace_id in trace_ids}
        for start in range(0, len(trace_ids), _AT_ONCE):
            wanted = [TraceId(trace_id) for trace_id in trace_ids[start : start + _AT_ONCE]]
            for observation in observations_from(await self._observations.of_traces(wanted)):
                found[observation.trace_id].append(observation)
        return found

    async def _of_session(self, session_id: str) -> list[Trace]:
        try:
            return list(traces_from(await self._sessions.traces_of(SessionId(session_id))))
        except SessionNotFound:
            return []


class _Gathered(Generic[Found]):
    """Reads by id; those that are asked for at about the same time are read together."""

    def __init__(self, read: Callable[[Sequence[str]], Awaitable[Mapping[str, Found]]]) -> None:
        self._read = read
        self._waiting: dict[str, asyncio.Future[Found]] = {}
        self._reading: set[asyncio.Task[None]] = set()

    async def of(self, id_: str) -> Found:
        """What is found under an id; raises what reading raises."""
        if id_ not in self._waiting:
            if not self._waiting:
                task = asyncio.create_task(self._read_soon())
                self._reading.add(task)
                task.add_done_callback(self._reading.discard)
            self._waiting[id_] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._waiting[id_])

    async def _read_soon(self) -> None:
        await asyncio.sleep(_GATHERING_SECONDS)
        waiting, self._waiting = self._waiting, {}
        try:
            found = await self._read(list(waiting))
        except Exception as error:  # noqa: BLE001 - told to those who wait
            for future in waiting.values():
                future.set_exception(error)
        else:
            for id_, future in waiting.items():
                future.set_result(found[id_])

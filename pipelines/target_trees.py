"""The trees of targets: all observations of their traces, or all traces of their sessions."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from heliograph.domain.identifiers import ProjectId, SessionId, TraceId
from heliograph.domain.observations import Observation, observations_from
from heliograph.domain.traces import traces_from
from heliograph.gathered import Gathered
from heliograph.run_evaluator import SESSION, TREE
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.observations import Observations
from storage.clickhouse.sessions import Sessions

_AT_ONCE = 64
_Tree = list[Observation]


class TargetTrees:
    """The trees of one project's targets; those that are asked for at about the same time are read together."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._observations, self._sessions = Observations(clickhouse, project_id), Sessions(clickhouse, project_id)
        self._trees = Gathered(self._read)

    async def completed(self, row: Mapping[str, Any], columns: Collection[str]) -> Mapping[str, Any]:
        """A target's row with the columns `trace` and `session`, if they are among those that are read.

        Raises:
            Unavailable: ClickHouse is away.
            QueryTooExpensive: the session has more than 10,000 traces.
        """
        if SESSION in columns:
            turns = traces_from(await self._sessions.traces_of(SessionId(row["observation_id"])))
            return {**row, SESSION: list(turns)}
        return {**row, TREE: await self._trees.of(TraceId(row["trace_id"]))} if TREE in columns else row

    async def _read(self, trace_ids: Sequence[TraceId]) -> Mapping[TraceId, _Tree]:
        found: dict[TraceId, _Tree] = {trace_id: [] for trace_id in trace_ids}
        for start in range(0, len(trace_ids), _AT_ONCE):
            for observation in observations_from(
                await self._observations.of_traces(trace_ids[start : start + _AT_ONCE])
            ):
                found[TraceId(observation.trace_id)].append(observation)
        return found

"""What came of runs over datasets: means of their scores, their cost and their latency."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.connection import ClickHouse


class RunFigures:
    """The figures of one project's runs, each told by the traces in which its items ran."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _SCORES = """
        SELECT transform(trace_id, {trace_ids:Array(String)}, {run_ids:Array(String)}, dataset_run_id) AS run_id,
            name, count() AS n, avg(value) AS mean, if(n > 1, stddevSamp(value), 0) AS deviation
        FROM scores FINAL
        WHERE project_id = {project_id:String} AND data_type IN ('NUMERIC', 'BOOLEAN')
            AND (trace_id IN {trace_ids:Array(String)} OR dataset_run_id IN {run_ids:Array(String)})
        GROUP BY run_id, name ORDER BY run_id, name
    """

    async def scores(self, traces: Mapping[str, Sequence[str]]) -> pa.Table:
        """One row a run and name, of the scores on its traces and on itself: run_id, name, n, mean, deviation."""
        return await self._clickhouse.read(self._SCORES, self._bound(traces))

    _TRACES = """
        SELECT transform(id, {trace_ids:Array(String)}, {run_ids:Array(String)}, '') AS run_id, count() AS traces,
            toFloat64(avg(total_cost)) AS cost, avgOrNull(latency_ms) AS latency_ms, sum(error_count) AS errors
        FROM traces FINAL
        WHERE project_id = {project_id:String} AND id IN {trace_ids:Array(String)}
        GROUP BY run_id
    """

    async def traces(self, traces: Mapping[str, Sequence[str]]) -> pa.Table:
        """One row a run: run_id, traces, errors, and per trace mean cost in US dollars and mean latency_ms."""
        return await self._clickhouse.read(self._TRACES, self._bound(traces))

    def _bound(self, traces: Mapping[str, Sequence[str]]) -> dict[str, object]:
        pairs = [(trace_id, run_id) for run_id, trace_ids in traces.items() for trace_id in trace_ids]
        return {
            "project_id": self._project_id,
            "trace_ids": [trace_id for trace_id, _ in pairs],
            "run_ids": [run_id for _, run_id in pairs],
        }

"""Reading scores."""

from collections.abc import Sequence

import pyarrow as pa

from heliograph.domain.identifiers import ProjectId, ScoreId, TraceId
from storage.clickhouse.connection import ClickHouse


class Scores:
    """The scores of one project."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _OF_TRACES = """
        SELECT id, project_id, timestamp, name, data_type, source, value, string_value, long_string_value, trace_id,
            observation_id, session_id, dataset_run_id, environment, comment, metadata, author_user_id, config_id,
            queue_id, execution_trace_id, evaluator_version, created_at, updated_at
        FROM scores FINAL
        WHERE project_id = {project_id:String} AND trace_id IN {trace_ids:Array(String)}
        ORDER BY timestamp, id
    """

    async def of_traces(self, trace_ids: Sequence[TraceId]) -> pa.Table:
        """Every score on the traces and their observations, oldest first."""
        return await self._clickhouse.read(
            self._OF_TRACES, {"project_id": self._project_id, "trace_ids": list(trace_ids)}
        )

    async def of_trace(self, trace_id: TraceId) -> pa.Table:
        """Every score on one trace and its observations, oldest first."""
        return await self.of_traces([trace_id])

    _IDS = """
        SELECT trace_id, id FROM scores FINAL
        WHERE project_id = {project_id:String} AND trace_id IN {trace_ids:Array(String)}
        ORDER BY timestamp, id
    """

    async def ids_of(self, traces: pa.Table) -> dict[TraceId, list[ScoreId]]:
        """The ids of the scores on a page of traces and their observations, oldest first."""
        counts = zip(traces["id"].to_pylist(), traces["score_count"].to_pylist(), strict=True)
        ids: dict[TraceId, list[ScoreId]] = {trace_id: [] for trace_id, count in counts if count}
        if ids:
            found = await self._clickhouse.read(self._IDS, {"project_id": self._project_id, "trace_ids": list(ids)})
            for row in found.to_pylist():
                ids[row["trace_id"]].append(row["id"])
        return ids

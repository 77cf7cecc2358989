"""What came of the items of experiments: their scores, what has none, their cost and latency."""

from collections.abc import Sequence

import pyarrow as pa

from heliograph.domain.experiments import UNSCORED_METADATA
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.connection import ClickHouse

# ClickHouse takes 128 kB for one parameter; a trace's id may be long.
_IDS_AT_A_TIME = 1_000


class ExperimentResults:
    """What came of the traces in which one project's items ran. Any number may be asked for."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _SCORES = """
        SELECT trace_id, observation_id, name, evaluator_version AS version,
            argMax(value, (timestamp, id)) AS value
        FROM scores FINAL
        WHERE project_id = {project_id:String} AND trace_id IN {ids:Array(String)}
            AND data_type IN ('NUMERIC', 'BOOLEAN')
        GROUP BY trace_id, observation_id, name, version ORDER BY trace_id, observation_id, name, version
    """

    async def scores(self, trace_ids: Sequence[str]) -> pa.Table:
        """Numbers and truth values on traces and what is in them: trace_id, observation_id, name, version, value."""
        return await self._read(self._SCORES, trace_ids)

    _TRACES = """
        SELECT id AS trace_id, toFloat64(total_cost) AS cost_usd, latency_ms
        FROM traces FINAL WHERE project_id = {project_id:String} AND id IN {ids:Array(String)} ORDER BY id
    """

    async def traces(self, trace_ids: Sequence[str]) -> pa.Table:
        """One row a trace: trace_id, cost_usd, latency_ms, which may be null."""
        return await self._read(self._TRACES, trace_ids)

    _ROOTS = f"""
        SELECT trace_id, id AS observation_id, level = 'ERROR' AS has_failed,
            metadata['{UNSCORED_METADATA}'] AS unscored
        FROM observations FINAL
        WHERE project_id = {{project_id:String}} AND trace_id IN {{ids:Array(String)}} AND is_experiment_item
        ORDER BY trace_id, id
    """  # noqa: S608 - a constant

    async def roots(self, trace_ids: Sequence[str]) -> pa.Table:
        """The observations in which items ran: trace_id, observation_id, has_failed, unscored (JSON, or '')."""
        return await self._read(self._ROOTS, trace_ids)

    async def _read(self, sql: str, trace_ids: Sequence[str]) -> pa.Table:
        parts = [trace_ids[at : at + _IDS_AT_A_TIME] for at in range(0, len(trace_ids), _IDS_AT_A_TIME)] or [[]]
        read = [await self._clickhouse.read(sql, {"project_id": self._project_id, "ids": list(part)}) for part in parts]
        return pa.concat_tables(read)

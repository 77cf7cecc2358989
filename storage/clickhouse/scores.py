"""Reading scores."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Template
from typing import Any

import pyarrow as pa

from heliograph.domain.filters import Condition, Page
from heliograph.domain.identifiers import ProjectId, ScoreId, TraceId
from heliograph.domain.not_found import ScoreNotFound
from heliograph.domain.scores import Score, scores_from
from heliograph.domain.traces import Trace, traces_from
from storage.clickhouse.clauses import Where, moment, narrowed
from storage.clickhouse.columns import SCORE_COLUMNS, TRACE_COLUMNS
from storage.clickhouse.connection import ClickHouse

_COLUMNS = """
    id, project_id, timestamp, name, data_type, source, value, string_value, long_string_value, trace_id,
    observation_id, session_id, dataset_run_id, environment, comment, metadata, author_user_id, config_id,
    queue_id, execution_trace_id, evaluator_version, created_at, updated_at
"""
# What can be asked of the trace of a score.
OF_TRACE = narrowed(TRACE_COLUMNS, "traceName", "userId", "tags", "traceTags")


@dataclass(frozen=True)
class Place:
    """Where a score stands in the order newest first: the next page begins after it."""

    timestamp: datetime
    id: str


class Scores:
    """The scores of one project."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _SEARCH = Template(f"""
        SELECT {_COLUMNS} FROM scores FINAL
        WHERE project_id = {{project_id:String}} $where
        ORDER BY timestamp DESC, id DESC LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}
    """)  # noqa: S608 - a constant
    _COUNT = Template("SELECT count() AS found FROM scores FINAL WHERE project_id = {project_id:String} $where")

    async def search_and_count(self, conditions: Sequence[Condition], page: Page) -> tuple[pa.Table, int]:
        """One page of the scores that meet all conditions, newest first, and how many there are on all of them."""
        where = self._where(conditions, limit=page.size, offset=page.offset)
        found, counted = await asyncio.gather(
            self._clickhouse.read(self._SEARCH.substitute(where=where.sql), where.parameters),
            self._clickhouse.read(self._COUNT.substitute(where=where.sql), where.parameters),
        )
        return found, int(counted["found"][0].as_py())

    _AFTER = """
        timestamp <= {after:DateTime64(6, 'UTC')}
        AND (timestamp, id) < ({after:DateTime64(6, 'UTC')}, {after_id:String})
    """

    async def newest(
        self, conditions: Sequence[Condition], *, values: Sequence[float] = (), limit: int, after: Place | None = None
    ) -> pa.Table:
        """The scores that follow a place, newest first; with `values` those alone whose number is one of them."""
        where = self._where(conditions, limit=limit, offset=0)
        if values:
            where = where.also("value IN {values:Array(Float64)}", values=list(values))
        if after is not None:
            where = where.also(self._AFTER, after=moment(after.timestamp), after_id=after.id)
        return await self._clickhouse.read(self._SEARCH.substitute(where=where.sql), where.parameters)

    async def get(self, score_id: ScoreId, conditions: Sequence[Condition] = ()) -> Score:
        """One score that meets the conditions; raises ScoreNotFound."""
        where = self._where(conditions, limit=1, offset=0).also("id = {id:String}", id=score_id)
        found = await self._clickhouse.read(self._SEARCH.substitute(where=where.sql), where.parameters)
        if found.num_rows == 0:
            raise ScoreNotFound(score_id)
        return next(scores_from(found))

    _TRACES = """
        SELECT id, user_id, session_id, environment, tags FROM traces FINAL
        WHERE project_id = {project_id:String} AND id IN {trace_ids:Array(String)}
    """

    async def traces_of(self, scores: Sequence[Score]) -> dict[str, Trace]:
        """The traces of a page of scores, as far as they are known, with what scores show of them."""
        trace_ids = sorted({score.trace_id for score in scores} - {""})
        if not trace_ids:
            return {}
        found = await self._clickhouse.read(self._TRACES, {"project_id": self._project_id, "trace_ids": trace_ids})
        return {trace.id: trace for trace in traces_from(found)}

    _WITHIN = Template("trace_id IN (SELECT id FROM traces FINAL WHERE project_id = {project_id:String} $where)")

    def _where(self, conditions: Sequence[Condition], **bound: Any) -> Where:
        """The conditions on scores, and those on their traces as one on what traces they belong to."""
        own = [condition for condition in conditions if condition.column not in OF_TRACE]
        where = Where.of(SCORE_COLUMNS, own, project_id=self._project_id, **bound)
        of_trace = [condition for condition in conditions if condition.column in OF_TRACE]
        if not of_trace:
            return where
        traces = Where.of(OF_TRACE, of_trace, **where.parameters)
        return where.also(self._WITHIN.substitute(where=traces.sql), **traces.parameters)

    _OF_TRACES = f"""
        SELECT {_COLUMNS} FROM scores FINAL
        WHERE project_id = {{project_id:String}} AND trace_id IN {{trace_ids:Array(String)}}
        ORDER BY timestamp, id
    """  # noqa: S608 - a constant

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

"""Reading observations."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Template

import pyarrow as pa

from heliograph.domain.filters import Condition, Expression, Order, Page
from heliograph.domain.identifiers import ObservationId, ProjectId, TraceId
from heliograph.domain.not_found import ObservationNotFound
from heliograph.domain.observations import Observation, observations_from
from storage.clickhouse.clauses import Where, compile_order, moment, narrowed
from storage.clickhouse.columns import LISTED_OBSERVATION_COLUMNS, OBSERVATION_COLUMNS
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.windows import ALL_TIME, Window, around

NEWEST_FIRST = Order("startTime")
_ORDERS = narrowed(
    OBSERVATION_COLUMNS,
    *("id", "startTime", "endTime", "name", "type", "level", "latency", "totalCost", "totalTokens"),
)

# What trees show, which are of ten thousands of rows.
_OUTLINE = (
    *("id", "parent_observation_id", "type", "name", "start_time", "end_time", "level", "total_tokens", "total_cost"),
)
# Without payloads: what tables show.
ROW = (
    *("id", "project_id", "trace_id", "parent_observation_id", "type", "name", "start_time", "end_time"),
    *("completion_start_time", "level", "status_message", "environment", "release", "version", "is_app_root"),
    *("trace_name", "user_id", "session_id", "tags", "public", "input_preview", "output_preview"),
    *("provided_model_name", "model_id", "model_parameters", "usage_details", "cost_details", "input_tokens"),
    *("output_tokens", "total_tokens", "total_cost", "pricing_tier", "unpriced_usage", "prompt_id"),
    *("prompt_name", "prompt_version", "source", "created_at", "updated_at"),
)
_WHOLE = (*ROW, "metadata", "input", "output")
_READABLE = frozenset(_WHOLE)


def _read(columns: Sequence[str]) -> str:
    if not _READABLE.issuperset(columns):
        raise ValueError(columns)
    return ", ".join(columns)


@dataclass(frozen=True)
class Place:
    """Where an observation stands in the order newest first: the next page begins after it."""

    start_time: datetime
    trace_id: str
    id: str


class Observations:
    """The observations of one project."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _SEARCH = Template("""
        SELECT $columns FROM observations FINAL
        WHERE project_id = {project_id:String} $where
        ORDER BY $order LIMIT {limit:UInt32} OFFSET {offset:UInt64}
    """)

    async def search(
        self,
        conditions: Sequence[Expression],
        page: Page,
        order: Order = NEWEST_FIRST,
        *,
        columns: Sequence[str] = _WHOLE,
    ) -> pa.Table:
        """One page of the observations that meet all conditions, with their payloads unless other columns are named."""
        where = Where.of(LISTED_OBSERVATION_COLUMNS, conditions, **self._bound, limit=page.size, offset=page.offset)
        ordered = compile_order(order, _ORDERS, unique="id")
        sql = self._SEARCH.substitute(columns=_read(columns), where=where.sql, order=ordered)
        return await self._clickhouse.read(sql, where.parameters)

    _COUNT = Template("SELECT count() AS found FROM observations FINAL WHERE project_id = {project_id:String} $where")

    async def count(self, conditions: Sequence[Expression]) -> int:
        """How many observations meet all conditions."""
        where = Where.of(LISTED_OBSERVATION_COLUMNS, conditions, **self._bound)
        counted = await self._clickhouse.read(self._COUNT.substitute(where=where.sql), where.parameters)
        return int(counted["found"][0].as_py())

    async def search_and_count(
        self,
        conditions: Sequence[Expression],
        page: Page,
        order: Order = NEWEST_FIRST,
        *,
        columns: Sequence[str] = _WHOLE,
    ) -> tuple[pa.Table, int]:
        """One page, and how many observations there are on all of them."""
        # Refused before anything is read.
        compile_order(order, _ORDERS, unique="id")
        found, total = await asyncio.gather(
            self.search(conditions, page, order, columns=columns), self.count(conditions)
        )
        return found, total

    _NEWEST = Template("""
        SELECT $columns FROM observations FINAL
        WHERE project_id = {project_id:String} $where
        ORDER BY start_time DESC, xxHash32(trace_id) DESC, id DESC LIMIT {limit:UInt32}
    """)
    _AFTER = """
        start_time <= {start_time:DateTime64(6, 'UTC')} AND (start_time, xxHash32(trace_id), id)
            < ({start_time:DateTime64(6, 'UTC')}, xxHash32({trace_id:String}), {id:String})
    """

    async def newest(
        self, conditions: Sequence[Condition], columns: Sequence[str], *, limit: int, after: Place | None = None
    ) -> pa.Table:
        """The named columns of the observations that follow a place in the contract's order, newest first."""
        where = Where.of(OBSERVATION_COLUMNS, conditions, **self._bound, limit=limit)
        if after is not None:
            where = where.also(self._AFTER, start_time=moment(after.start_time), trace_id=after.trace_id, id=after.id)
        sql = self._NEWEST.substitute(columns=_read(columns), where=where.sql)
        return await self._clickhouse.read(sql, where.parameters)

    _OF_TRACE = Template("""
        SELECT $columns FROM observations FINAL
        WHERE project_id = {project_id:String} AND trace_id = {trace_id:String}
        ORDER BY start_time, id
    """)

    async def of_trace(self, trace_id: TraceId) -> pa.Table:
        """Every observation of a trace with its payloads, in the order in which they began."""
        sql = self._OF_TRACE.substitute(columns=", ".join(_WHOLE))
        return await self._clickhouse.read(sql, self._bound | {"trace_id": trace_id})

    _OF_TRACES = f"""
        SELECT {", ".join(_WHOLE)} FROM observations FINAL
        WHERE project_id = {{project_id:String}} AND trace_id IN {{trace_ids:Array(String)}}
        ORDER BY trace_id, start_time, id
    """  # noqa: S608 - a constant

    async def of_traces(self, trace_ids: Sequence[TraceId]) -> pa.Table:
        """Every observation of some traces with its payloads, trace by trace, in the order in which they began."""
        return await self._clickhouse.read(self._OF_TRACES, self._bound | {"trace_ids": list(trace_ids)})

    async def outline_of_trace(self, trace_id: TraceId) -> pa.Table:
        """Every observation of a trace as its tree shows it: place, times, type, name, level, tokens and cost."""
        sql = self._OF_TRACE.substitute(columns=", ".join(_OUTLINE))
        return await self._clickhouse.read(sql, self._bound | {"trace_id": trace_id})

    _IDS = """
        SELECT trace_id, id, start_time FROM observations FINAL
        WHERE project_id = {project_id:String} AND trace_id IN {trace_ids:Array(String)}
            AND placed_at >= {placed_after:DateTime64(6, 'UTC')} AND placed_at < {placed_before:DateTime64(6, 'UTC')}
        ORDER BY start_time, id
    """

    async def ids_of(self, traces: pa.Table) -> dict[TraceId, list[ObservationId]]:
        """The ids of the observations of a page of traces, in the order in which they began."""
        counts = dict(zip(traces["id"].to_pylist(), traces["observation_count"].to_pylist(), strict=True))
        ids = await self._ids(list(counts), around(traces))
        incomplete = [trace_id for trace_id, count in counts.items() if len(ids[trace_id]) < count]
        return ids | await self._ids(incomplete, ALL_TIME)

    async def _ids(self, trace_ids: Sequence[TraceId], window: Window) -> dict[TraceId, list[ObservationId]]:
        ids: dict[TraceId, list[ObservationId]] = {trace_id: [] for trace_id in trace_ids}
        if trace_ids:
            found = await self._clickhouse.read(self._IDS, self._bound | {"trace_ids": list(trace_ids)} | window)
            for row in found.to_pylist():
                ids[row["trace_id"]].append(row["id"])
        return ids

    _GET = f"""
        SELECT {", ".join(_WHOLE)} FROM observations FINAL
        WHERE project_id = {{project_id:String}} AND id = {{id:String}}
        ORDER BY start_time DESC LIMIT 1
    """  # noqa: S608 - a constant

    async def get(self, observation_id: ObservationId) -> Observation:
        """One observation with its payloads, the newest of that id; raises ObservationNotFound."""
        found = await self._clickhouse.read(self._GET, self._bound | {"id": observation_id})
        if found.num_rows == 0:
            raise ObservationNotFound(observation_id)
        return next(observations_from(found))

    @property
    def _bound(self) -> dict[str, str | list[str]]:
        return {"project_id": self._project_id}

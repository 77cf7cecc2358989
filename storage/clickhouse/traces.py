"""Reading traces."""

import asyncio
from collections.abc import Mapping, Sequence
from string import Template

import pyarrow as pa

from heliograph.domain.filters import Expression, Order, Page
from heliograph.domain.identifiers import ProjectId, TraceId
from heliograph.domain.not_found import TraceNotFound
from heliograph.domain.traces import Trace, traces_from
from storage.clickhouse.clauses import Where, compile_order, narrowed
from storage.clickhouse.columns import TRACE_COLUMNS
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.windows import ALL_TIME, Window, around

NEWEST_FIRST = Order("timestamp")
# A trace's id and an observation's.
_Key = tuple[str, str]
_ORDERS = narrowed(
    TRACE_COLUMNS,
    *("id", "timestamp", "name", "userId", "sessionId", "release", "version", "public", "bookmarked"),
    *("environment", "level", "latency", "totalCost", "totalTokens", "observationCount", "errorCount", "scoreCount"),
)

_COLUMNS = """
    id, project_id, timestamp, name, user_id, session_id, environment, release, version, tags, public, bookmarked,
    metadata, input, output, input_preview, output_preview, root_observation_id, end_time, latency_ms, level,
    observation_count, error_count, warning_count, score_count, input_tokens, output_tokens, total_tokens, total_cost,
    models, score_values, score_labels, created_at, updated_at
"""


class Traces:
    """The traces of one project."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _SEARCH = Template(f"""
        SELECT {_COLUMNS} FROM traces FINAL
        WHERE project_id = {{project_id:String}} $where
        ORDER BY $order LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}
    """)  # noqa: S608 - a constant

    async def search(self, conditions: Sequence[Expression], page: Page, order: Order = NEWEST_FIRST) -> pa.Table:
        """One page of the traces that meet all conditions; input and output only where they are the trace's own."""
        where = Where.of(TRACE_COLUMNS, conditions, **self._bound, limit=page.size, offset=page.offset)
        sql = self._SEARCH.substitute(where=where.sql, order=compile_order(order, _ORDERS, unique="id"))
        return await self._clickhouse.read(sql, where.parameters)

    _COUNT = Template("SELECT count() AS traces FROM traces FINAL WHERE project_id = {project_id:String} $where")

    async def count(self, conditions: Sequence[Expression]) -> int:
        """How many traces meet all conditions."""
        where = Where.of(TRACE_COLUMNS, conditions, **self._bound)
        counted = await self._clickhouse.read(self._COUNT.substitute(where=where.sql), where.parameters)
        return int(counted["traces"][0].as_py())

    async def search_and_count(
        self, conditions: Sequence[Expression], page: Page, order: Order = NEWEST_FIRST
    ) -> tuple[pa.Table, int]:
        """One page, and how many traces there are on all of them.

        Two queries at once: counting within the one that reads the page would make it read every column of every row.
        """
        # Refused before anything is read.
        compile_order(order, _ORDERS, unique="id")
        found, total = await asyncio.gather(self.search(conditions, page, order), self.count(conditions))
        return found, total

    _PAYLOADS = """
        SELECT trace_id, id, input, output FROM observations FINAL
        WHERE project_id = {project_id:String} AND trace_id IN {trace_ids:Array(String)} AND id IN {ids:Array(String)}
            AND placed_at >= {placed_after:DateTime64(6, 'UTC')} AND placed_at < {placed_before:DateTime64(6, 'UTC')}
    """

    async def with_payloads(self, page: pa.Table) -> pa.Table:
        """The same traces, with the input and output of the root observation where the trace has none of its own."""
        roots = _wanted_roots(page)
        payloads = await self._payloads(roots, around(page))
        if missing := roots - payloads.keys():
            payloads |= await self._payloads(missing, ALL_TIME)
        return _filled(page, payloads)

    async def _payloads(self, roots: set[_Key], window: Window) -> dict[_Key, dict[str, str]]:
        if not roots:
            return {}
        trace_ids, ids = (list(column) for column in zip(*roots, strict=True))
        found = await self._clickhouse.read(self._PAYLOADS, self._bound | {"trace_ids": trace_ids, "ids": ids} | window)
        return {(row["trace_id"], row["id"]): row for row in found.to_pylist()}

    _GET = f"""
        SELECT {_COLUMNS} FROM traces FINAL WHERE project_id = {{project_id:String}} AND id = {{trace_id:String}}
        ORDER BY row_version DESC LIMIT 1
    """  # noqa: S608 - a constant

    async def get(self, trace_id: TraceId) -> Trace:
        """One trace with its input and output; raises TraceNotFound."""
        return next(traces_from(await self.with_payloads(await self.row(trace_id))))

    async def row(self, trace_id: TraceId) -> pa.Table:
        """One trace, with input and output only where they are its own; raises TraceNotFound."""
        found = await self._clickhouse.read(self._GET, self._bound | {"trace_id": trace_id})
        if found.num_rows == 0:
            raise TraceNotFound(trace_id)
        return found

    @property
    def _bound(self) -> dict[str, str | list[str]]:
        return {"project_id": self._project_id}


def with_payloads_of(traces: pa.Table, observations: pa.Table) -> pa.Table:
    """The same as `Traces.with_payloads`, of observations that were read already and hold every root."""
    roots = _wanted_roots(traces)
    keys = zip(*(observations[name].to_pylist() for name in ("trace_id", "id")), strict=True)
    places = {key: place for place, key in enumerate(keys) if key in roots}
    found = observations.select(["input", "output"]).take(pa.array(places.values(), pa.int64()))
    return _filled(traces, dict(zip(places, found.to_pylist(), strict=True)))


def _wanted_roots(page: pa.Table) -> set[_Key]:
    """The roots of traces that lack an input or an output."""
    rows = page.select(["id", "root_observation_id", "input", "output"]).to_pylist()
    lacking = {(row["id"], row["root_observation_id"]) for row in rows if not (row["input"] and row["output"])}
    return {key for key in lacking if key[1]}


def _filled(page: pa.Table, payloads: Mapping[_Key, Mapping[str, str]]) -> pa.Table:
    rows = page.select(["id", "root_observation_id", "input", "output"]).to_pylist()
    for side in ("input", "output"):
        texts = [row[side] or payloads.get((row["id"], row["root_observation_id"]), {}).get(side, "") for row in rows]
        page = page.set_column(page.schema.get_field_index(side), side, pa.array(texts, pa.string()))
    return page

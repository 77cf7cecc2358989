"""The figures of sessions and of users, over the traces of a period."""

import asyncio
from collections.abc import Sequence
from string import Template

import pyarrow as pa

from heliograph.domain.filters import Expression, Order, Page
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.clauses import Where, compile_order
from storage.clickhouse.columns import TRACE_COLUMNS, Column, Columns, Kind
from storage.clickhouse.connection import ClickHouse

# What a list may be ordered by: figures of the groups, not columns of the table.
_ORDERS: Columns = {
    "id": Column("subject", Kind.TEXT),
    "firstAt": Column("first_at", Kind.TIME),
    "lastAt": Column("last_at", Kind.TIME),
    "traceCount": Column("trace_count", Kind.NUMBER),
    "errorCount": Column("errors", Kind.NUMBER),
    "totalTokens": Column("tokens", Kind.NUMBER),
    "totalCost": Column("cost", Kind.NUMBER),
}
_FIGURES = """
    min(timestamp) AS first_at, max(ifNull(end_time, timestamp)) AS last_at, count() AS trace_count,
    sum(observation_count) AS observations, sum(error_count) AS errors, sum(total_tokens) AS tokens,
    toFloat64(sum(total_cost)) AS cost
"""


class Activity:
    """Sessions and users of one project, each with figures of those of its traces that meet the conditions.

    Costs are US dollars as float64. The conditions are those of traces.
    """

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _SESSIONS = Template(f"""
        SELECT session_id AS subject, {_FIGURES}, arraySort(groupUniqArrayIf(4)(user_id, user_id != '')) AS users
        FROM traces FINAL WHERE project_id = {{project_id:String}} AND session_id != '' $where
        GROUP BY subject ORDER BY $order LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}
    """)  # noqa: S608 - a constant
    _SESSION_COUNT = Template("""
        SELECT uniqExact(session_id) AS found FROM traces FINAL
        WHERE project_id = {project_id:String} AND session_id != '' $where
    """)

    async def sessions(self, conditions: Sequence[Expression], page: Page, order: Order) -> tuple[pa.Table, int]:
        """One page: subject, the figures, and at most four users; and how many sessions there are on all pages."""
        return await self._page(self._SESSIONS, self._SESSION_COUNT, conditions, page=page, order=order)

    _USERS = Template(f"""
        SELECT user_id AS subject, {_FIGURES}, uniqExactIf(session_id, session_id != '') AS session_count
        FROM traces FINAL WHERE project_id = {{project_id:String}} AND user_id != '' $where
        GROUP BY subject ORDER BY $order LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}
    """)  # noqa: S608 - a constant
    _USER_COUNT = Template("""
        SELECT uniqExact(user_id) AS found FROM traces FINAL
        WHERE project_id = {project_id:String} AND user_id != '' $where
    """)

    async def users(self, conditions: Sequence[Expression], page: Page, order: Order) -> tuple[pa.Table, int]:
        """One page: subject, the figures, and the number of sessions; and how many users there are on all pages."""
        return await self._page(self._USERS, self._USER_COUNT, conditions, page=page, order=order)

    async def _page(
        self, listing: Template, counting: Template, conditions: Sequence[Expression], *, page: Page, order: Order
    ) -> tuple[pa.Table, int]:
        where = Where.of(TRACE_COLUMNS, conditions, project_id=self._project_id, limit=page.size, offset=page.offset)
        ordered = compile_order(order, _ORDERS, unique="subject")
        found, counted = await asyncio.gather(
            self._clickhouse.read(listing.substitute(where=where.sql, order=ordered), where.parameters),
            self._clickhouse.read(counting.substitute(where=where.sql), where.parameters),
        )
        return found, int(counted["found"][0].as_py())

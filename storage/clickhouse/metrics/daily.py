"""Reading what each day had: traces, observations, cost, and usage by model."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from string import Template
from typing import Any

import pyarrow as pa

from heliograph.domain.filters import Condition, Page
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.clauses import Where
from storage.clickhouse.columns import TRACE_COLUMNS
from storage.clickhouse.connection import ClickHouse

Row = dict[str, Any]


@dataclass(frozen=True)
class Days:
    """A page of days, the latest first: `date`, `traces`, `observations`, `cost`, and the usage of each by model."""

    days: list[Row]
    usage: dict[date, list[Row]]
    total: int


class DailyMetrics:
    """The days of one project; an observation belongs to the day of its trace."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    async def page(self, conditions: Sequence[Condition], page: Page) -> Days:
        """One page of the days that have traces which meet all conditions.

        Raises:
            QueryTooExpensive: the server ran out of memory or time.
        """
        days, total = await asyncio.gather(self._days(conditions, page), self._count(conditions))
        usage: dict[date, list[Row]] = {_day(day["date"]): [] for day in days}
        if days:
            found = await self._usage(conditions, list(usage))
            for row in found.to_pylist():
                usage[_day(row["date"])].append(row)
        return Days([day | {"date": _day(day["date"])} for day in days], usage, total)

    _DAYS = Template("""
        SELECT toDateTime64(toStartOfDay(timestamp, 'UTC'), 0, 'UTC') AS date, count() AS traces,
            sum(observation_count) AS observations, toFloat64(sum(total_cost)) AS cost
        FROM traces FINAL WHERE project_id = {project_id:String} $where
        GROUP BY date ORDER BY date DESC LIMIT {limit:UInt32} OFFSET {offset:UInt64}
    """)

    async def _days(self, conditions: Sequence[Condition], page: Page) -> list[Row]:
        where = Where.of(TRACE_COLUMNS, conditions, project_id=self._project_id, limit=page.size, offset=page.offset)
        found = await self._clickhouse.read(self._DAYS.substitute(where=where.sql), where.parameters)
        return list(found.to_pylist())

    _COUNT = Template("""
        SELECT uniqExact(toDate(timestamp, 'UTC')) AS days FROM traces FINAL
        WHERE project_id = {project_id:String} $where
    """)

    async def _count(self, conditions: Sequence[Condition]) -> int:
        where = Where.of(TRACE_COLUMNS, conditions, project_id=self._project_id)
        found = await self._clickhouse.read(self._COUNT.substitute(where=where.sql), where.parameters)
        return int(found["days"][0].as_py())

    _USAGE = Template("""
        SELECT of_date AS date, provided_model_name AS model, count() AS observations,
            uniqExact(trace_id) AS traces, sum(input_tokens) AS input, sum(output_tokens) AS output,
            sum(total_tokens) AS total, toFloat64(sum(total_cost)) AS cost
        FROM observations FINAL
        INNER JOIN (
            SELECT id AS of_trace_id, toDateTime64(toStartOfDay(timestamp, 'UTC'), 0, 'UTC') AS of_date
            FROM traces FINAL
            WHERE project_id = {project_id:String} $where
                AND toString(toDate(timestamp, 'UTC')) IN {dates:Array(String)}
        ) AS of_trace ON trace_id = of_trace_id
        WHERE project_id = {project_id:String}
        GROUP BY date, model ORDER BY date, cost DESC, total DESC, model
    """)

    async def _usage(self, conditions: Sequence[Condition], dates: Sequence[date]) -> pa.Table:
        texts = [each.isoformat() for each in dates]
        where = Where.of(TRACE_COLUMNS, conditions, project_id=self._project_id, dates=texts)
        return await self._clickhouse.read(self._USAGE.substitute(where=where.sql), where.parameters)


def _day(value: Any) -> date:
    at: datetime = value
    return at.date()

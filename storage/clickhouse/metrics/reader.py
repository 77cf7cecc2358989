"""Reading metrics."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

import pyarrow as pa

from heliograph.domain import metrics
from heliograph.domain.errors import QueryTooExpensive
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.metrics import TIME_DIMENSION, Aggregation, Granularity, MetricsQuery, Row
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.metrics.compiler import UNLIMITED_ROWS, Statement, compile_query
from storage.clickhouse.metrics.views import Generation


class Metrics:
    """The metrics of one project."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    async def query(self, query: MetricsQuery, generation: Generation) -> list[Row]:
        """The rows of the answer, as JSON has them: counts of 64 bits as texts, absent texts and figures as null.

        Raises:
            InvalidRequest: what is asked does not exist, cannot be combined, or has too many steps of time.
            QueryTooExpensive: there are too many groups or rows, or the server ran out of memory or time.
        """
        statement = compile_query(query, generation, self._project_id)
        found = await self._read(statement)
        rows = _rows(found, query, statement.columns)
        if query.granularity is None or query.order_by:
            return rows
        gap = _gap(found, query, statement.columns)
        return _without_gaps(rows, query, query.granularity, gap=gap, limit=statement.limit)

    async def table(self, query: MetricsQuery, generation: Generation) -> pa.Table:
        """The same answer as Arrow, its columns by their names and without rows for gaps; raises the same."""
        statement = compile_query(query, generation, self._project_id)
        return (await self._read(statement)).rename_columns(list(statement.columns))

    async def _read(self, statement: Statement) -> pa.Table:
        found = await self._clickhouse.read(statement.sql, statement.parameters)
        if found.num_rows > UNLIMITED_ROWS:
            raise QueryTooExpensive
        return found


def _rows(found: pa.Table, query: MetricsQuery, names: Sequence[str]) -> list[Row]:
    columns = [_values(name, found.column(place), query) for place, name in enumerate(names)]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(name: str, column: pa.ChunkedArray, query: MetricsQuery) -> list[Any]:
    values = column.to_pylist()
    if name == TIME_DIMENSION and query.granularity is not None:
        return [metrics.step_label(query.granularity, each) for each in values]
    if name not in query.figures:
        return [None if each == "" else each for each in values]
    return [str(each) for each in values] if _is_text(column.type) else [_figure(each) for each in values]


def _is_text(type_: pa.DataType) -> bool:
    """Whether figures are answered as texts: JavaScript's numbers do not hold 64 bits."""
    return type_ in {pa.int64(), pa.uint64()}


def _figure(value: Any) -> Any:
    if isinstance(value, list):
        return [list(each.values()) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def _without_gaps(rows: list[Row], query: MetricsQuery, granularity: Granularity, *, gap: Row, limit: int) -> list[Row]:
    begins = metrics.steps(granularity, query.from_timestamp, query.to_timestamp)
    labels = [metrics.step_label(granularity, each) for each in islice(begins, limit)]
    return metrics.filled(rows, labels, gap)[:limit]


def _gap(found: pa.Table, query: MetricsQuery, names: Sequence[str]) -> Row:
    """A step without rows: no dimensions, and zeros of the figures' types."""
    gap: Row = dict.fromkeys(names)
    for place, name in enumerate(names):
        if (metric := query.figures.get(name)) is not None:
            zero = "0" if _is_text(found.schema.field(place).type) else 0
            gap[name] = [] if metric.aggregation is Aggregation.HISTOGRAM else zero
    return gap

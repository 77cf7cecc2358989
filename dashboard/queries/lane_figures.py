"""Answers to widgets about ingestion, from the history of the lanes' own measures."""

from datetime import UTC, datetime
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa

from actors.lane_history import SCHEMA
from heliograph.domain import ingestion_health
from heliograph.domain.ingestion_health import MEASURES
from heliograph.domain.metrics import TIME_DIMENSION, Aggregation, MetricsQuery, start_of_step

# How the lanes of one moment become one, where they are not told apart.
_TOGETHER = {
    "acknowledged_per_second": "sum", "merged_per_second": "sum", "lag_segments": "sum", "backlog_bytes": "sum",
    "oldest_unflushed_ms": "max", "rows_per_insert": "mean", "insert_ms": "mean",
}  # fmt: skip
_PLAIN = {Aggregation.SUM: "sum", Aggregation.AVG: "mean", Aggregation.MAX: "max", Aggregation.MIN: "min"}


class History(Protocol):
    """What lanes have measured of themselves; see `LaneHistory.table`. Raises Unavailable."""

    async def history(self, after: datetime, before: datetime, /) -> pa.Table:
        """The minutes of a period."""
        ...


class NoHistory:
    """Nothing was measured: there are no lanes."""

    async def history(self, after: datetime, before: datetime, /) -> pa.Table:
        """No rows."""
        del after, before
        return SCHEMA.empty_table()


class LaneFigures:
    """The figures of all lanes, which work for every project."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def table(self, query: MetricsQuery) -> pa.Table:
        """The answer in the form of `WidgetFigures.table`; raises InvalidRequest and Unavailable."""
        ingestion_health.check(query)
        return aggregated(await self._history.history(query.from_timestamp, query.to_timestamp), query)


def aggregated(history: pa.Table, query: MetricsQuery) -> pa.Table:
    """The figures of a query out of the minutes of the lanes."""
    frame: pd.DataFrame = history.to_pandas()
    if "lane" not in query.fields:
        frame = frame.groupby("time", as_index=False).agg(_TOGETHER)
    keys = list(query.fields)
    if (granularity := query.granularity) is not None:
        frame[TIME_DIMENSION] = [start_of_step(granularity, at.to_pydatetime().astimezone(UTC)) for at in frame["time"]]
        keys = [TIME_DIMENSION, *keys]
    groups = frame.groupby(keys) if keys else frame.groupby(lambda _: 0)
    columns = {
        name: _figure(groups[MEASURES[metric.measure]], metric.aggregation) for name, metric in query.figures.items()
    }
    found = pd.DataFrame(columns).reset_index(drop=not keys)
    for order in reversed(query.order_by or ()):
        found = found.sort_values(order.field, ascending=order.direction == "asc", kind="stable")
    return pa.Table.from_pandas(found.head(query.options.row_limit or len(found)), preserve_index=False)


def _figure(values: Any, aggregation: Aggregation) -> "pd.Series[float]":
    """One value a group of a grouped column."""
    if aggregation in _PLAIN:
        found: pd.Series[float] = values.agg(_PLAIN[aggregation])
        return found
    share: pd.Series[float] = values.quantile(int(str(aggregation).removeprefix("p")) / 100)
    return share

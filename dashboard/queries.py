"""What the pages ask of the stores: one class bound to one project, thin over the readers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dashboard.state import Period, TraceList
from heliograph.domain.filters import (
    Condition,
    Order,
    Page,
    TextCondition,
    before,
    equals,
    holds_all,
    since,
)
from heliograph.domain.identifiers import ProjectId, TraceId
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.observations import Observations
from storage.clickhouse.overview import Overview
from storage.clickhouse.scores import Scores
from storage.clickhouse.trace_filters import TraceFilters
from storage.clickhouse.traces import Traces

# The sortable columns of the table, by the readers' names for them.
_ORDERS = {
    "timestamp": "timestamp",
    "name": "name",
    "latency_ms": "latency",
    "total_tokens": "totalTokens",
    "total_cost": "totalCost",
    "observation_count": "observationCount",
}


@dataclass(frozen=True)
class Totals:
    """The numbers of one period."""

    traces: int = 0
    observations: int = 0
    errors: int = 0
    tokens: int = 0
    cost: float = 0.0
    latency_p95_ms: float | None = None

    @property
    def error_rate(self) -> float:
        """Failed observations per observation."""
        return self.errors / self.observations if self.observations else 0.0


@dataclass(frozen=True)
class OverviewData:
    """Everything that the overview shows.

    Attributes:
        series: columns time, traces, observations, errors, tokens, cost.
        models: columns time, model, cost.
        latency: columns time, p50, p90, p95, p99, in milliseconds.
    """

    totals: Totals
    previous: Totals
    series: pa.Table
    models: pa.Table
    latency: pa.Table


@dataclass(frozen=True)
class TracePage:
    """One page of traces, with the columns of the traces table, and how many match."""

    rows: pa.Table
    total: int


@dataclass(frozen=True)
class WholeTrace:
    """One trace: its row, its observations with neither payloads nor metadata, and all of its scores."""

    trace: pa.Table
    observations: pa.Table
    scores: pa.Table


class ProjectQueries:
    """The questions of the pages, all about one project."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._traces = Traces(clickhouse, project_id)
        self._observations = Observations(clickhouse, project_id)
        self._scores = Scores(clickhouse, project_id)
        self._overview = Overview(clickhouse, project_id)
        self._filters = TraceFilters(clickhouse, project_id)

    async def has_traces(self) -> bool:
        """Whether the project has ever received a trace."""
        return bool((await self._traces.search([], Page(size=1))).num_rows)

    async def environments(self, period: Period) -> Sequence[str]:
        """The environments that traces of the period name."""
        return await self._filters.environments(period.after, period.before)

    async def overview(self, period: Period, environment: str) -> OverviewData:
        """The overview's numbers, asked all at once."""
        span = (period.after, period.before)
        earlier = (period.previous.after, period.previous.before)
        totals, previous, series, models, latency = await asyncio.gather(
            self._overview.totals(*span, environment=environment),
            self._overview.totals(*earlier, environment=environment),
            self._overview.over_time(*span, period.bucket, environment=environment),
            self._overview.cost_by_model_over_time(*span, period.bucket, environment=environment),
            self._overview.latency_percentiles(*span, period.bucket, environment=environment),
        )
        return OverviewData(_totals(totals), _totals(previous), series, models, latency)

    async def traces(self, period: Period, environment: str, wanted: TraceList) -> TracePage:
        """The wanted page of the list of traces."""
        order = Order(_ORDERS[wanted.sort], is_descending=wanted.order == "desc")
        conditions = trace_conditions(period, environment, wanted)
        rows, total = await self._traces.search_and_count(conditions, Page(wanted.page, wanted.size), order)
        return TracePage(rows, total)

    async def trace(self, trace_id: str) -> WholeTrace | None:
        """One trace, or none if there is no such trace in the project."""
        trace, observations, scores = await asyncio.gather(
            self._traces.search([equals("id", trace_id)], Page(size=1)),
            self._observations.outline_of_trace(TraceId(trace_id)),
            self._scores.of_trace(TraceId(trace_id)),
        )
        return WholeTrace(trace, observations, scores) if trace.num_rows else None

    async def observation(self, trace_id: str, observation_id: str) -> pa.Table:
        """One observation with its payloads, as a table of at most one row."""
        conditions = [equals("traceId", trace_id), equals("id", observation_id)]
        return await self._observations.search(conditions, Page(size=1))


def trace_conditions(period: Period, environment: str, wanted: TraceList) -> list[Condition]:
    """The filters of the table in the readers' language; empty ones are left out."""
    contained = {"name": wanted.named, "userId": wanted.user, "sessionId": wanted.session}
    conditions: list[Condition] = [since("timestamp", period.after), before("timestamp", period.before)]
    conditions += [
        TextCondition(type="string", column=column, operator="contains", value=text)
        for column, text in contained.items()
        if text
    ]
    conditions += [
        equals(column, text) for column, text in (("environment", environment), ("level", wanted.level)) if text
    ]
    return [*conditions, holds_all("tags", [wanted.tag])] if wanted.tag else conditions


def _totals(table: pa.Table) -> Totals:
    row: dict[str, Any] = table.to_pylist()[0]
    return Totals(**{name: row[name] for name in Totals.__dataclass_fields__ if row[name] is not None})

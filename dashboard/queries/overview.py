"""What the overview asks: the numbers of a period, and those of the one before."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dashboard.queries.periods import environments, within
from dashboard.state import Scope
from heliograph.domain.filters import Order, Page
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.activity import Activity
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.overview import Overview
from storage.clickhouse.score_figures import ScoreFigures

TOP_USERS = 8


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
class Numbers:
    """What the cards show, and how it moved.

    Attributes:
        series: columns time, traces, observations, errors, tokens, cost.
        latency: columns time, p50, p90, p95, p99, in milliseconds.
    """

    totals: Totals
    previous: Totals
    series: pa.Table
    latency: pa.Table


@dataclass(frozen=True)
class Figures:
    """What is drawn besides.

    Attributes:
        models: columns time, model, cost.
        bands: columns time, low and high (milliseconds), traces.
        tokens: columns time, kind, tokens.
        scores: columns time, name, n, mean, deviation.
        versions: columns version, name, time, n: the evaluators that came into use in the period.
        users: columns subject, cost, trace_count and further figures, the dearest first.
    """

    models: pa.Table
    bands: pa.Table
    tokens: pa.Table
    scores: pa.Table
    versions: pa.Table
    users: pa.Table


class OverviewQueries:
    """The questions about one project as a whole."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._overview = Overview(clickhouse, project_id)
        self._scores = ScoreFigures(clickhouse, project_id)
        self._activity = Activity(clickhouse, project_id)

    async def numbers(self, scope: Scope) -> Numbers:
        """The numbers of the period, and of the one before."""
        period, where = scope.period(), environments(scope)
        bucketed = (period.after, period.before, period.bucket)
        totals, previous, series, latency = await asyncio.gather(
            self._overview.totals(period.after, period.before, where=where),
            self._overview.totals(period.previous.after, period.previous.before, where=where),
            self._overview.over_time(*bucketed, where=where),
            self._overview.latency_percentiles(*bucketed, where=where),
        )
        return Numbers(_totals(totals), _totals(previous), series, latency)

    async def figures(self, scope: Scope) -> Figures:
        """What is drawn besides the numbers, asked all at once."""
        period, where = scope.period(), environments(scope)
        bucketed = (period.after, period.before, period.bucket)
        scored = within("timestamp", period, scope.environment)
        seen = [*within("timestamp", period, ""), *where]
        models, bands, tokens, scores, versions, (users, _) = await asyncio.gather(
            self._overview.cost_by_model_over_time(*bucketed, where=where),
            self._overview.latency_bands(*bucketed, where=where),
            self._overview.token_kinds_over_time(*bucketed, where=where),
            self._scores.trend(scored, period.bucket),
            self._scores.versions(scored),
            self._activity.users(seen, Page(size=TOP_USERS), Order("totalCost")),
        )
        return Figures(models, bands, tokens, scores, versions, users)


def _totals(table: pa.Table) -> Totals:
    row: dict[str, Any] = table.to_pylist()[0]
    return Totals(**{name: row[name] for name in Totals.__dataclass_fields__ if row[name] is not None})

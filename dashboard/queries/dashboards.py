"""What the pages of dashboards ask: which there are, and the answers of their widgets."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from dashboard.queries.lane_figures import History, LaneFigures
from dashboard.state import Period
from heliograph.domain import metrics
from heliograph.domain.dashboards import Dashboard, Widget
from heliograph.domain.filters import Condition, Page, equals
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.managed_dashboards import MANAGED_DASHBOARDS
from heliograph.domain.metrics import MetricsQuery, ViewName
from heliograph.domain.widgets import ChartType, WidgetDefinition
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.metrics.widgets import WidgetFigures, applicable
from storage.postgres.connection import Database
from storage.postgres.dashboard_widgets import Widgets
from storage.postgres.dashboards import Dashboards

MAX_DASHBOARDS = 500
# Of one page at once: a dashboard must not take every connection of its replica.
_AT_ONCE = 6


@dataclass(frozen=True)
class OpenedDashboard:
    """A dashboard with the widgets that stand on it, by id."""

    dashboard: Dashboard
    widgets: Mapping[str, Widget]


@dataclass(frozen=True)
class Answer:
    """What a widget's query found: see `WidgetFigures.table`.

    Attributes:
        times: the steps of the period, of a widget over time.
        before: the same for the period before, of a single number.
    """

    table: pa.Table
    times: tuple[datetime, ...] = ()
    before: pa.Table | None = None


class DashboardQueries:
    """The questions about the dashboards of one project."""

    def __init__(self, clickhouse: ClickHouse, database: Database, project_id: ProjectId, *, history: History) -> None:
        self._dashboards = Dashboards(database, project_id)
        self._widgets = Widgets(database, project_id)
        self._figures = WidgetFigures(clickhouse, project_id)
        self._lanes = LaneFigures(history)
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def shelf(self) -> list[Dashboard]:
        """Every dashboard, the managed ones first."""
        found, _ = await self._dashboards.page(Page(size=MAX_DASHBOARDS))
        return [*MANAGED_DASHBOARDS.values(), *found]

    async def opened(self, dashboard_id: str) -> OpenedDashboard:
        """One dashboard, a managed one too; raises DashboardNotFound."""
        dashboard = MANAGED_DASHBOARDS.get(dashboard_id) or await self._dashboards.get(dashboard_id)
        widgets = await self._widgets.of([placement.widget_id for placement in dashboard.placements])
        return OpenedDashboard(dashboard, widgets)

    async def answer(
        self, definition: WidgetDefinition, period: Period, *, environment: str, filters: Iterable[Condition] = ()
    ) -> Answer:
        """The answer of one widget, narrowed by what its view knows of the environment and these filters.

        Raises:
            InvalidRequest: what is asked does not exist or cannot be combined.
            QueryTooExpensive: it would take too much memory or time.
        """
        common = [*filters, *([equals("environment", environment)] if environment else [])]
        conditions = applicable(definition.view, common)
        query = definition.query(period.after, period.before, conditions)
        if definition.chart_type is ChartType.NUMBER:
            earlier = definition.query(period.previous.after, period.previous.before, conditions)
            table, before = await asyncio.gather(self._ask(query), self._ask(earlier))
            return Answer(table, before=before)
        table = await self._ask(query)
        if query.granularity is None:
            return Answer(table)
        return Answer(table, tuple(metrics.steps(query.granularity, period.after, period.before)))

    async def _ask(self, query: MetricsQuery) -> pa.Table:
        async with self._turn:
            return await (self._lanes if query.view is ViewName.INGESTION else self._figures).table(query)

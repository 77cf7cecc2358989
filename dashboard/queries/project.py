"""Everything that the pages may ask of the stores, bound to one project."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dashboard.queries.activity import ActivityQueries
from dashboard.queries.annotation import AnnotationQueries
from dashboard.queries.dashboards import DashboardQueries
from dashboard.queries.datasets import DatasetQueries
from dashboard.queries.evaluations import EvaluationQueries
from dashboard.queries.evaluators import EvaluatorQueries
from dashboard.queries.lane_figures import History, NoHistory
from dashboard.queries.observations import ObservationQueries
from dashboard.queries.operations import NoReports, OperationsQueries, Reports
from dashboard.queries.overview import OverviewQueries
from dashboard.queries.prompts import PromptQueries
from dashboard.queries.rules import RuleQueries
from dashboard.queries.saved_views import ViewQueries
from dashboard.queries.score_analytics import ScoreAnalyticsQueries
from dashboard.queries.scores import ScoreQueries
from dashboard.queries.settings import SettingsQueries
from dashboard.queries.suggestions import Suggestions
from dashboard.queries.traces import TraceQueries
from dashboard.state import Scope
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.column_values import ColumnValues
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.traces import Traces
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database

# The columns whose values the control row offers.
_CHOICES = {
    "environment": ("traces", "environment"),
    "tag": ("traces", "tags"),
    "model": ("traces", "models"),
    "evaluator": ("scores", "evaluatorVersion"),
}


@dataclass(frozen=True)
class Measured:
    """What the stack has measured of itself: the lanes of a day, and every process now."""

    history: History = field(default_factory=NoHistory)
    reports: Reports = field(default_factory=NoReports)


class ProjectQueries:
    """The questions of the pages, by what they are about."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: Database,
        *,
        api_keys: ApiKeys,
        measured: Measured,
        project_id: ProjectId,
    ) -> None:
        self.overview = OverviewQueries(clickhouse, project_id)
        self.traces = TraceQueries(clickhouse, database, project_id)
        self.observations = ObservationQueries(clickhouse, project_id)
        self.activity = ActivityQueries(clickhouse, project_id)
        self.scores = ScoreQueries(clickhouse, project_id)
        self.score_analytics = ScoreAnalyticsQueries(clickhouse, database, project_id)
        self.prompts = PromptQueries(clickhouse, database, project_id)
        self.datasets = DatasetQueries(clickhouse, database, project_id)
        self.annotation = AnnotationQueries(clickhouse, database, project_id)
        self.dashboards = DashboardQueries(clickhouse, database, project_id, history=measured.history)
        self.evaluators = EvaluatorQueries(clickhouse, database, project_id)
        self.evaluations = EvaluationQueries(database, project_id)
        self.rules = RuleQueries(database, project_id)
        self.settings = SettingsQueries(database, api_keys, project_id)
        self.operations = OperationsQueries(database, measured.reports, project_id)
        self.views = ViewQueries(database, project_id)
        self._traces = Traces(clickhouse, project_id)
        self._values = ColumnValues(clickhouse, project_id)

    async def has_traces(self) -> bool:
        """Whether the project has ever received a trace."""
        return bool((await self._traces.search([], Page(size=1))).num_rows)

    async def choices(self, scope: Scope, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """What can be chosen in the control row, by name: what occurs in the scope's period."""
        period = scope.period()
        asked = [name for name in _CHOICES if name in names]
        found = await asyncio.gather(
            *(self._values.of(*_CHOICES[name], after=period.after, before=period.before) for name in asked)
        )
        return dict(zip(asked, found, strict=True))

    def suggestions(self, table: str, scope: Scope) -> Suggestions:
        """What filters of traces, observations or scores can be filled with."""
        return Suggestions(self._values, table, scope)

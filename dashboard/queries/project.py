"""Everything that the pages may ask of the stores, bound to one project."""

from collections.abc import Sequence

from dashboard.queries.activity import ActivityQueries
from dashboard.queries.annotation import AnnotationQueries
from dashboard.queries.dashboards import DashboardQueries
from dashboard.queries.datasets import DatasetQueries
from dashboard.queries.evaluators import EvaluatorQueries
from dashboard.queries.lane_figures import History
from dashboard.queries.overview import OverviewQueries
from dashboard.queries.prompts import PromptQueries
from dashboard.queries.scores import ScoreQueries
from dashboard.queries.settings import SettingsQueries
from dashboard.queries.traces import TraceQueries
from dashboard.state import Period
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.trace_filters import TraceFilters
from storage.clickhouse.traces import Traces
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database


class ProjectQueries:
    """The questions of the pages, by what they are about."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: Database,
        *,
        api_keys: ApiKeys,
        history: History,
        project_id: ProjectId,
    ) -> None:
        self.overview = OverviewQueries(clickhouse, project_id)
        self.traces = TraceQueries(clickhouse, database, project_id)
        self.activity = ActivityQueries(clickhouse, project_id)
        self.scores = ScoreQueries(clickhouse, project_id)
        self.prompts = PromptQueries(clickhouse, database, project_id)
        self.datasets = DatasetQueries(clickhouse, database, project_id)
        self.annotation = AnnotationQueries(clickhouse, database, project_id)
        self.dashboards = DashboardQueries(clickhouse, database, project_id, history=history)
        self.evaluators = EvaluatorQueries(clickhouse, database, project_id)
        self.settings = SettingsQueries(database, api_keys, project_id)
        self._traces = Traces(clickhouse, project_id)
        self._filters = TraceFilters(clickhouse, project_id)

    async def has_traces(self) -> bool:
        """Whether the project has ever received a trace."""
        return bool((await self._traces.search([], Page(size=1))).num_rows)

    async def environments(self, period: Period) -> Sequence[str]:
        """The environments that traces of the period name."""
        return await self._filters.environments(period.after, period.before)

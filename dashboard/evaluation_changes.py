"""What people change of evaluation runs: planned with an estimate, begun, steered, and retried."""

from dashboard.mandate import Mandate
from heliograph.domain.costs import UNITS_PER_DOLLAR
from heliograph.domain.evaluation_runs import EvaluationRun, NewRun, RunState
from heliograph.domain.filters import Page
from ingestion.project_prices import ProjectPrices
from pipelines.evaluation_plan import Planned, PlanStores, plan
from pipelines.target_trees import TargetTrees
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.selections import Selections
from storage.clickhouse.streams import ArrowStreams
from storage.clickhouse.traces import Traces
from storage.postgres.connection import Database
from storage.postgres.evaluation_runs import EvaluationRuns
from storage.postgres.llm_connections import LlmConnections
from storage.postgres.models import AllModels
from storage.seal import Seal

RUNS = "evalJob:CUD"
_ALL_CONNECTIONS = Page(size=1_000)


class EvaluationChanges:
    """The changes of evaluation that one user may make; each raises RoleInsufficient when the role lacks its scope."""

    def __init__(self, clickhouse: ClickHouse, database: Database, mandate: Mandate, *, seal: Seal) -> None:
        project_id = mandate.project.id
        self._mandate = mandate
        self._runs = EvaluationRuns(database, project_id)
        self._connections = LlmConnections(database, project_id, seal)
        selections = Selections(clickhouse, ArrowStreams(clickhouse), project_id)
        self._stores = PlanStores(selections, Traces(clickhouse, project_id), TargetTrees(clickhouse, project_id))
        self._prices = ProjectPrices(AllModels(database))

    async def plan(self, asked: NewRun) -> Planned:
        """What a run would do and take; nothing is kept. Raises InvalidRequest."""
        await self._mandate.act(RUNS)
        await self._prices.refresh()
        connections, _ = await self._connections.page(_ALL_CONNECTIONS)
        adapters = {connection.provider: connection.adapter for connection in connections}
        prices = self._prices.of(self._mandate.project.id)
        return await plan(asked, self._stores, prices, adapters=adapters)

    async def start(self, planned: Planned) -> EvaluationRun:
        """Keep a run as it was planned, and begin it."""
        await self._mandate.act(RUNS)
        kept = await self._runs.plan(planned.asked, planned.estimate, planned.partitions.periods)
        return await self._runs.turn(kept.id, RunState.RUNNING)

    async def turn(self, run_id: str, state: RunState, budget_usd: float | None = None) -> EvaluationRun:
        """Start, pause, resume or cancel a run, with another budget where one is given.

        Raises:
            EvaluationRunNotFound: there is none.
            Conflict: it has ended.
        """
        await self._mandate.act(RUNS)
        units = None if budget_usd is None else round(budget_usd * UNITS_PER_DOLLAR)
        return await self._runs.turn(run_id, state, budget_units=units)

    async def retry(self, run_id: str) -> int:
        """Have what has failed tried again; how much that is. Raises EvaluationRunNotFound."""
        await self._mandate.act(RUNS)
        return await self._runs.retry_failed(run_id)

"""What people change of evaluation runs: planned with an estimate, begun, steered, and retried."""

from dashboard.mandate import Mandate
from dashboard.plan_basis import PlanBasis
from heliograph.domain.costs import UNITS_PER_DOLLAR
from heliograph.domain.evaluation_runs import EvaluationRun, NewRun, RunState
from pipelines.evaluation_plan import Planned, plan
from storage.postgres.connection import Database
from storage.postgres.evaluation_runs import EvaluationRuns

RUNS = "evalJob:CUD"


class EvaluationChanges:
    """The changes of evaluation that one user may make; each raises RoleInsufficient when the role lacks its scope."""

    def __init__(self, database: Database, mandate: Mandate, basis: PlanBasis) -> None:
        self._mandate = mandate
        self._runs = EvaluationRuns(database, mandate.project.id)
        self._basis = basis

    async def plan(self, asked: NewRun) -> Planned:
        """What a run would do and take; nothing is kept. Raises InvalidRequest."""
        await self._mandate.act(RUNS)
        basis = self._basis
        return await plan(asked, basis.stores, await basis.prices(), adapters=await basis.adapters())

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

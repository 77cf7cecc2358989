"""What the pages of evaluators ask."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from dashboard.queries.periods import within
from dashboard.state import Period, TrialTargets
from heliograph.domain.evaluation_rules import RuleTarget
from heliograph.domain.evaluation_runs import judged
from heliograph.domain.experiments import PREFIX
from heliograph.domain.filters import AllOf, Page, TextCondition, TextObjectCondition, equals
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.project_evaluators import EvaluatorVersion, ModelChoice, ProjectEvaluator
from heliograph.domain.selections import Selection
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.observations import Observations
from storage.clickhouse.traces import Traces
from storage.postgres.connection import Database
from storage.postgres.evaluators import Evaluators

MAX_EVALUATORS = 1_000
CANDIDATES = 10
_IS_ITEM = TextObjectCondition(
    type="stringObject", column="metadata", key=f"{PREFIX}item.expected_output", operator="is set"
)  # fmt: skip


@dataclass(frozen=True)
class WholeEvaluator:
    """An evaluator with all of its versions, the newest first."""

    evaluator: ProjectEvaluator
    versions: Sequence[EvaluatorVersion]


class EvaluatorQueries:
    """The questions about the evaluators of one project."""

    def __init__(self, clickhouse: ClickHouse, database: Database, project_id: ProjectId) -> None:
        self._evaluators = Evaluators(database, project_id)
        self._observations = Observations(clickhouse, project_id)
        self._traces = Traces(clickhouse, project_id)

    async def own(self) -> list[ProjectEvaluator]:
        """The evaluators that the project keeps, the newest first."""
        found, _ = await self._evaluators.page(Page(size=MAX_EVALUATORS))
        return found

    async def whole(self, evaluator_id: str) -> WholeEvaluator:
        """One of them; raises EvaluatorNotFound."""
        return WholeEvaluator(
            *await asyncio.gather(self._evaluators.get(evaluator_id), self._evaluators.versions(evaluator_id))
        )

    async def default_model(self) -> ModelChoice | None:
        """The model that judges ask which name none."""
        return await self._evaluators.default_model()

    async def candidates(self, period: Period, environment: str, wanted: TrialTargets) -> pa.Table:
        """The newest of what can be judged: columns id, name, and those of the readers of what is wanted."""
        is_of_traces = wanted.about == RuleTarget.TRACE
        conditions = within("timestamp" if is_of_traces else "startTime", period, environment)
        if wanted.called:
            conditions.append(TextCondition(type="string", column="name", operator="contains", value=wanted.called))
        if wanted.kind and not is_of_traces:
            conditions.append(equals("type", wanted.kind))
        if wanted.about == RuleTarget.EXPERIMENT:
            conditions.append(_IS_ITEM)
        where = judged(Selection(where=AllOf(conditions=tuple(conditions)))).where
        assert where is not None
        reader = self._traces if is_of_traces else self._observations
        return await reader.search([where], Page(size=CANDIDATES))

"""What is stored already, evaluated for a rule: the run is planned and begun when the rule is kept."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluation_errors import RuleInvalid
from heliograph.domain.evaluation_rules import EvaluationRule, NewRule, TimeScope
from heliograph.domain.evaluation_runs import Estimate, NewRun, RunState
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.llm_connections import Adapter
from ingestion.pricing import PriceBook
from pipelines.evaluation_plan import Planned, PlanStores, plan, readied
from pipelines.rule_backfill import backfill
from storage.postgres.connection import Database
from storage.postgres.evaluation_rules import EvaluationRules
from storage.postgres.evaluation_runs import EvaluationRuns
from storage.postgres.evaluators import Evaluators


class RuleBackfills:
    """The runs of one project's rules."""

    def __init__(
        self,
        project_id: ProjectId,
        database: Database,
        stores: PlanStores,
        *,
        prices: PriceBook,
        adapters: Mapping[str, Adapter],
    ) -> None:
        self._project_id, self._stores, self._prices, self._adapters = project_id, stores, prices, adapters
        self._evaluators, self._rules = Evaluators(database, project_id), EvaluationRules(database, project_id)
        self._runs = EvaluationRuns(database, project_id)

    async def check(self, rule: NewRule) -> None:
        """Raise RuleInvalid where what is stored could not be evaluated for a rule that is about it, and enabled."""
        if _is_wanted(rule):
            asked = await self._asked(self._as_if_kept(rule))
            with _refusals():
                readied(asked, self._stores, self._prices, adapters=self._adapters)

    async def estimate(self, rule: NewRule) -> Estimate:
        """What the evaluation of what is stored would take, were the rule kept now; raises RuleInvalid."""
        return (await self._planned(self._as_if_kept(rule))).estimate

    async def begin(self, rule: EvaluationRule) -> EvaluationRule:
        """Have what was stored before the rule evaluated, if it is about that; the rule names its run then."""
        if not _is_wanted(rule):
            return rule
        planned = await self._planned(rule)
        run = await self._runs.plan(planned.asked, planned.estimate, planned.partitions.periods)
        await self._runs.turn(run.id, RunState.RUNNING)
        return await self._rules.note_backfill(rule.id, run.id)

    def _as_if_kept(self, rule: NewRule) -> EvaluationRule:
        values: dict[str, Any] = {name: getattr(rule, name) for name in NewRule.__dataclass_fields__}
        values |= dict.fromkeys(("active_since", "created_at", "updated_at"), datetime.now(UTC))
        return EvaluationRule(id="", project_id=self._project_id, block=None, **values)

    async def _planned(self, rule: EvaluationRule) -> Planned:
        asked = await self._asked(rule)
        with _refusals():
            planned = await plan(asked, self._stores, self._prices, adapters=self._adapters)
        if rule.budget_usd is not None:
            return planned
        # Without a budget it may cost what was told before.
        bounded = planned.asked.model_copy(update={"budget_usd": planned.estimate.usd_high})
        return Planned(bounded, planned.partitions, planned.estimate)

    async def _asked(self, rule: EvaluationRule) -> NewRun:
        named = {one.evaluator_id for one in rule.assignments}
        evaluators = {evaluator_id: await self._evaluators.get(evaluator_id) for evaluator_id in named}
        return _bounded(backfill(rule, evaluators, await self._evaluators.default_model()))


@contextmanager
def _refusals() -> Iterator[None]:
    """What is wrong with the run is wrong with the rule's scope."""
    try:
        yield
    except InvalidRequest as error:
        reason = f"timeScope: what is stored cannot be evaluated: {error}"
        raise RuleInvalid.of("invalid_body", reason, {"field": "timeScope"}) from None


def _is_wanted(rule: NewRule) -> bool:
    return rule.is_enabled and TimeScope.EXISTING in rule.time_scope


def _bounded(asked: NewRun) -> NewRun:
    return asked if asked.budget_usd is not None else asked.model_copy(update={"budget_usd": 0.0})

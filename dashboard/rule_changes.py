"""What people change of evaluation rules: kept, enabled, disabled, deleted, and what failed tried again."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from dashboard.evaluation_changes import RUNS
from dashboard.mandate import Mandate
from dashboard.plan_basis import PlanBasis
from heliograph.domain.evaluation_rules import Assignment, EvaluationRule, NewRule, TimeScope, VariableMapping
from heliograph.domain.evaluation_runs import Estimate
from heliograph.domain.project_evaluators import EvaluatorType
from pipelines.rule_backfills import RuleBackfills
from pipelines.rule_checks import RuleChecks
from storage.postgres.connection import Database
from storage.postgres.datasets import Datasets
from storage.postgres.evaluation_rules import EvaluationRules
from storage.postgres.evaluators import Evaluators

# By the id of an evaluator, what fills its variables; None of code, which is given everything.
Mappings = Mapping[str, Sequence[VariableMapping] | None]


class RuleChanges:
    """The changes of rules that one user may make; each raises RoleInsufficient when the role lacks its scope."""

    def __init__(self, database: Database, mandate: Mandate, basis: PlanBasis) -> None:
        project_id = mandate.project.id
        self._database, self._mandate, self._basis = database, mandate, basis
        self._rules, self._evaluators = EvaluationRules(database, project_id), Evaluators(database, project_id)
        self._checks = RuleChecks(self._evaluators, basis.connections, Datasets(database, project_id))

    async def create(self, new: NewRule, by: Mappings) -> EvaluationRule:
        """Keep a rule that these evaluators carry out; what is stored is judged by a run if it is about that, too.

        Raises:
            RuleInvalid: its filter or a mapping does not fit its target or evaluator.
            EvaluatorNotRunnable: it is to be enabled, and its judge has no model that can be asked.
            NameConflict: there is a rule of that name, or there are too many active ones.
        """
        await self._mandate.act(RUNS)
        completed, backfills = await self._completed(new, by), await self._backfills()
        await backfills.check(completed)
        return await backfills.begin(await self._rules.create(completed))

    async def estimate(self, new: NewRule, by: Mappings) -> Estimate:
        """What it would take to evaluate what is stored for a rule; nothing is kept. Raises RuleInvalid."""
        await self._mandate.act(RUNS)
        completed = await self._completed(new, by)
        return await (await self._backfills()).estimate(completed)

    async def change(self, rule_id: str, new: NewRule, by: Mappings) -> EvaluationRule:
        """Give a rule these values; an enabled one that was paused goes on. Raises as `create` does."""
        await self._mandate.act(RUNS)
        known, completed = await self._rules.get(rule_id), await self._completed(new, by)
        is_backfilled = not known.backfill_run_id or TimeScope.EXISTING not in known.time_scope
        backfills = await self._backfills()
        if is_backfilled:
            await backfills.check(completed)
        rule = await self._rules.replace(rule_id, completed, is_resumed=new.is_enabled)
        return await backfills.begin(rule) if is_backfilled else rule

    async def enable(self, rule_id: str, *, is_enabled: bool) -> EvaluationRule:
        """Have a rule judge what arrives, also one that is paused, or leave it; raises as `create` does."""
        rule = await self._rules.get(rule_id)
        asked = NewRule(**{each.name: getattr(rule, each.name) for each in fields(NewRule)})
        by = {one.evaluator_id: _mapping(one) for one in rule.assignments}
        return await self.change(rule_id, replace(asked, is_enabled=is_enabled), by)

    async def delete(self, rule_id: str) -> None:
        """Delete a rule; its evaluators and its scores stay. Raises EvaluationRuleNotFound."""
        await self._mandate.act(RUNS)
        await self._rules.delete(rule_id)

    async def retry(self, rule_id: str) -> int:
        """Have every failed execution tried again; how many. Raises EvaluationRuleNotFound."""
        await self._mandate.act(RUNS)
        return await (await self._rules.executions(rule_id)).retry()

    async def _completed(self, new: NewRule, by: Mappings) -> NewRule:
        assigned = [(await self._evaluators.get(evaluator_id), mapping) for evaluator_id, mapping in by.items()]
        return await self._checks.completed(new, assigned)

    async def _backfills(self) -> RuleBackfills:
        basis = self._basis
        return RuleBackfills(
            self._mandate.project.id, self._database, basis.stores,
            prices=await basis.prices(), adapters=await basis.adapters(),
        )  # fmt: skip


def _mapping(one: Assignment) -> Sequence[VariableMapping] | None:
    return None if one.type is EvaluatorType.CODE else one.mapping

"""A rule over what is stored already: the run that judges what the rule itself does not take for new."""

from collections.abc import Mapping
from datetime import UTC, datetime

from heliograph.domain import rule_filters
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluation_rules import Assignment, EvaluationRule, RuleTarget
from heliograph.domain.evaluation_runs import EvaluatorSpec, JudgeSpec, NewRun
from heliograph.domain.filters import AllOf, AnyOf, BooleanCondition, DatetimeCondition, Expression, one_of
from heliograph.domain.project_evaluators import EvaluatorType, ModelChoice, ProjectEvaluator
from heliograph.domain.rule_specs import RuleSpec
from heliograph.domain.selections import SelectedTable, Selection
from pipelines.rule_matching import assigned_version

_TABLES = {
    RuleTarget.OBSERVATION: SelectedTable.OBSERVATIONS,
    RuleTarget.EXPERIMENT: SelectedTable.OBSERVATIONS,
    RuleTarget.TRACE: SelectedTable.TRACES,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# As for the rule itself: one that has not ended may still get its output.
_HAS_ENDED = AnyOf(
    conditions=(
        DatetimeCondition(type="datetime", column="endTime", operator=">=", value=_EPOCH),
        one_of("type", ["EVENT"]),
    )
)
_IS_ITEM = BooleanCondition(type="boolean", column="isExperimentItemRootSpan", operator="=", value=True)


def backfill(
    rule: EvaluationRule, evaluators: Mapping[str, ProjectEvaluator], default: ModelChoice | None
) -> NewRun:  # fmt: skip
    """The run that belongs to a rule.

    Args:
        rule: the rule; what was stored before it became active is meant.
        evaluators: those of the rule by id.
        default: the project's model for evaluators that name none.

    Raises:
        InvalidRequest: what the rule is about is not read from what is stored.
    """
    if rule.target not in _TABLES:
        raise InvalidRequest("target", f"a {rule.target} is judged as it arrives alone")
    return NewRun(
        table=_TABLES[rule.target],
        selection=Selection(where=_where(rule), sample=rule.sampling),
        evaluators=tuple(_spec(rule, one, evaluators[one.evaluator_id], default=default) for one in rule.assignments),
        budget_usd=rule.budget_usd,
        name=f"Backfill of {rule.name}"[:200],
    )


def _where(rule: EvaluationRule) -> AllOf:
    is_of_observations = rule.target in {RuleTarget.OBSERVATION, RuleTarget.EXPERIMENT}
    # What grew since then the rule has seen itself.
    stored = DatetimeCondition(
        type="datetime",
        column="createdAt" if is_of_observations else "updatedAt",
        operator="<",
        value=rule.active_since,
    )
    conditions: list[Expression] = [one for one in rule.filter if not rule_filters.in_payload(one)]
    conditions += [stored, *([_HAS_ENDED] if is_of_observations else [])]
    if rule.target is RuleTarget.EXPERIMENT:
        conditions.append(_IS_ITEM)
    return AllOf(conditions=tuple(conditions))


def _spec(
    rule: EvaluationRule, one: Assignment, evaluator: ProjectEvaluator, *, default: ModelChoice | None
) -> EvaluatorSpec:  # fmt: skip
    definition = evaluator.definition
    model = None if definition.type is EvaluatorType.CODE else definition.model or default
    return EvaluatorSpec(
        name=evaluator.name[:200],
        judge=None if model is None else JudgeSpec.of(model),
        version=assigned_version(evaluator, one, default),
        rule=RuleSpec(
            project_id=rule.project_id,
            rule_id=rule.id,
            evaluator_id=evaluator.id,
            target=rule.target,
            definition=definition,
            mapping=one.mapping,
            conditions=tuple(condition for condition in rule.filter if rule_filters.in_payload(condition)),
        ),
    )

"""What a rule has to hold before it is kept: what could not run is refused with its reason."""

from collections.abc import Sequence
from dataclasses import replace

from heliograph.domain import rule_filters
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluation_errors import EvaluatorNotRunnable, RuleInvalid
from heliograph.domain.evaluation_rules import SOURCES, Assignment, NewRule, RuleTarget, VariableMapping
from heliograph.domain.filters import Condition, TextOptionsCondition
from heliograph.domain.not_found import DatasetNotFound, LlmConnectionNotFound
from heliograph.domain.project_evaluators import EvaluatorType, ProjectEvaluator
from heliograph.variables import Source
from storage.postgres.datasets import Datasets
from storage.postgres.evaluators import Evaluators
from storage.postgres.llm_connections import LlmConnections

# An evaluator, and what fills its variables; None where nothing is said of them.
Assigned = tuple[ProjectEvaluator, Sequence[VariableMapping] | None]


class RuleChecks:
    """Holds the rules of one project against what the project has."""

    def __init__(self, evaluators: Evaluators, connections: LlmConnections, datasets: Datasets) -> None:
        self._evaluators = evaluators
        self._connections = connections
        self._datasets = datasets

    async def completed(self, rule: NewRule, evaluators: Sequence[Assigned]) -> NewRule:
        """The rule with these evaluators.

        Raises:
            RuleInvalid: its filter or a mapping does not fit its target or evaluator.
            EvaluatorNotRunnable: it is to be enabled, and its judge has no model that can be asked.
        """
        if len({evaluator.id for evaluator, _ in evaluators}) < len(evaluators):
            raise RuleInvalid.of("invalid_body", "evaluators: names one twice", {"field": "evaluators"})
        rule_filters.check(rule.filter, rule.target)
        await self._check_datasets(rule.filter)
        assignments = tuple(_assignment(evaluator, mapping, rule.target) for evaluator, mapping in evaluators)
        if rule.is_enabled:
            for evaluator, _ in evaluators:
                await self._check_runs(evaluator)
        return replace(rule, assignments=assignments)

    async def _check_datasets(self, conditions: Sequence[Condition]) -> None:
        for condition in conditions:
            if condition.column == "datasetId" and isinstance(condition, TextOptionsCondition):
                unknown = [value for value in condition.value if not await self._is_dataset(value)]
                if unknown:
                    reason = f"filter: there is no dataset with the id {unknown[0]!r} in this project"
                    raise RuleInvalid.of(
                        "invalid_filter_value", reason, {"column": "datasetId", "invalidValues": unknown}
                    )

    async def _is_dataset(self, dataset_id: str) -> bool:
        try:
            await self._datasets.by_id(dataset_id)
        except DatasetNotFound:
            return False
        return True

    async def _check_runs(self, evaluator: ProjectEvaluator) -> None:
        if evaluator.definition.type is EvaluatorType.CODE:
            return
        model = evaluator.definition.model or await self._evaluators.default_model()
        details: dict[str, object] = {"evaluatorName": evaluator.name}
        if model is None:
            reason = f"evaluator {evaluator.name!r} names no model, and the project has no default one for evaluations"
            raise EvaluatorNotRunnable.of("evaluator_preflight_failed", reason, details)
        try:
            await self._connections.opened(model.provider)
        except LlmConnectionNotFound:
            details |= {"provider": model.provider, "model": model.model}
            reason = f"evaluator {evaluator.name!r}: the project has no LLM connection {model.provider!r}"
            raise EvaluatorNotRunnable.of("evaluator_preflight_failed", reason, details) from None


def _assignment(
    evaluator: ProjectEvaluator, mapping: Sequence[VariableMapping] | None, target: RuleTarget
) -> Assignment:
    type_ = evaluator.definition.type
    if type_ is EvaluatorType.CODE:
        if mapping is not None:
            raise RuleInvalid.of(
                "invalid_body", "mapping: code is given everything: leave it out", {"field": "mapping"}
            )
        return Assignment(evaluator.id, evaluator.name, type_, ())
    mappings = tuple(mapping or ())
    _check_mapping(evaluator, mappings, target)
    return Assignment(evaluator.id, evaluator.name, type_, mappings)


def _check_mapping(evaluator: ProjectEvaluator, mappings: Sequence[VariableMapping], target: RuleTarget) -> None:
    names = [one.variable for one in mappings]
    variables = evaluator.definition.variables
    for name in names:
        if name not in variables:
            reason = f"mapping: evaluator {evaluator.name!r} has no variable {name!r}"
            raise RuleInvalid.of(
                "invalid_variable_mapping", reason, {"variable": name, "allowedValues": list(variables)}
            )
        if names.count(name) > 1:
            raise RuleInvalid.of("duplicate_variable_mapping", f"mapping: {name!r} is mapped twice", {"variable": name})
    if missing := [name for name in variables if name not in names]:
        reason = f"mapping: {', '.join(map(repr, missing))} of evaluator {evaluator.name!r} is not mapped"
        raise RuleInvalid.of(
            "missing_variable_mapping", reason, {"variables": missing, "evaluatorName": evaluator.name}
        )
    for one in mappings:
        if one.source not in SOURCES[target]:
            reason = f"mapping: target {target} has no source {one.source!r} for {one.variable!r}"
            allowed = [source.value for source in SOURCES[target]]
            raise RuleInvalid.of(
                "invalid_variable_mapping", reason, {"variable": one.variable, "allowedValues": allowed}
            )
        try:
            Source(one.source, one.json_path)
        except InvalidRequest as error:
            raise RuleInvalid.of("invalid_json_path", str(error), {"variable": one.variable}) from None

"""Drafts of evaluation rules: names become evaluators, and what could not run is refused with its reason."""

from collections.abc import Sequence
from datetime import timedelta

from heliograph.domain import rule_filters
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluation_errors import EvaluatorNotRunnable, RuleInvalid
from heliograph.domain.evaluation_rules import (
    DELAYS,
    SOURCES,
    Assignment,
    EvaluationRule,
    NewRule,
    RuleTarget,
    TimeScope,
    VariableMapping,
)
from heliograph.domain.filters import Condition, TextOptionsCondition
from heliograph.domain.not_found import DatasetNotFound, EvaluatorNotFound, LlmConnectionNotFound
from heliograph.domain.project_evaluators import EvaluatorType, ProjectEvaluator
from heliograph.variables import Source
from serve_apps.api.shapes.evaluation_rules import AssignedEvaluator, MappingBody, RuleBody, RuleChange
from storage.postgres.datasets import Datasets
from storage.postgres.evaluators import Evaluators
from storage.postgres.llm_connections import LlmConnections


class RuleDrafts:
    """Makes rules of one project out of what was sent."""

    def __init__(self, evaluators: Evaluators, connections: LlmConnections, datasets: Datasets) -> None:
        self._evaluators = evaluators
        self._connections = connections
        self._datasets = datasets

    async def of(self, body: RuleBody) -> NewRule:
        """A new rule.

        Raises:
            EvaluatorNotFound: it names none of the project's.
            RuleInvalid: its filter or a mapping does not fit its target or evaluator.
            EvaluatorNotRunnable: it is to be enabled, and its judge has no model that can be asked.
        """
        if not body.references:
            raise RuleInvalid.of("invalid_body", "evaluator: names what evaluates", {"field": "evaluator"})
        rule = NewRule(
            name=body.name,
            target=body.target,
            is_enabled=body.enabled,
            assignments=(),
            sampling=1.0 if body.sampling is None else body.sampling,
            filter=body.filter or (),
            delay=DELAYS[body.target] if body.delay is None else timedelta(milliseconds=body.delay),
            time_scope=tuple(body.time_scope or (TimeScope.NEW,)),
            budget_usd=body.budget_usd,
        )
        return await self._complete(rule, await self._named(body.references))

    async def changed(self, known: EvaluationRule, body: RuleChange) -> NewRule:
        """The rule with the changes; raises as `of` does."""
        target = body.target or known.target
        kept_delay = known.delay if target is known.target else DELAYS[target]
        rule = NewRule(
            name=body.name or known.name,
            target=target,
            is_enabled=known.is_enabled if body.enabled is None else body.enabled,
            assignments=(),
            sampling=known.sampling if body.sampling is None else body.sampling,
            filter=known.filter if body.filter is None else body.filter,
            delay=kept_delay if body.delay is None else timedelta(milliseconds=body.delay),
            time_scope=known.time_scope if body.time_scope is None else tuple(body.time_scope),
            budget_usd=known.budget_usd if body.budget_usd is None else body.budget_usd,
        )
        return await self._complete(rule, await self._named(_references(known, body)))

    async def _named(
        self, references: Sequence[AssignedEvaluator]
    ) -> list[tuple[ProjectEvaluator, list[MappingBody] | None]]:
        found = []
        for reference in references:
            if reference.scope != "project":
                raise EvaluatorNotFound(f"{reference.name!r} of scope {reference.scope}")
            if not reference.id and not reference.name:
                raise RuleInvalid.of("invalid_body", "evaluator: give its name", {"field": "evaluator.name"})
            by_id = self._evaluators.get(reference.id) if reference.id else self._evaluators.named(reference.name)
            evaluator = await by_id
            if reference.type is not None and reference.type != evaluator.definition.type:
                raise EvaluatorNotFound(f"{evaluator.name!r} of type {reference.type}")
            found.append((evaluator, reference.mapping))
        if len({evaluator.id for evaluator, _ in found}) < len(found):
            raise RuleInvalid.of("invalid_body", "evaluators: names one twice", {"field": "evaluators"})
        return found

    async def _complete(
        self, rule: NewRule, evaluators: Sequence[tuple[ProjectEvaluator, list[MappingBody] | None]]
    ) -> NewRule:
        rule_filters.check(rule.filter, rule.target)
        await self._check_datasets(rule.filter)
        assignments = tuple(_assignment(evaluator, mapping, rule.target) for evaluator, mapping in evaluators)
        if rule.is_enabled:
            for evaluator, _ in evaluators:
                await self._check_runs(evaluator)
        return NewRule(**{**vars(rule), "assignments": assignments})

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


def _references(known: EvaluationRule, body: RuleChange) -> list[AssignedEvaluator]:
    """The evaluators after a change; a mapping alone is that of a rule's one evaluator."""
    kept = [
        AssignedEvaluator.model_construct(
            id=one.evaluator_id, name=one.name, scope="project", type=one.type, mapping=_bodies(one)
        )
        for one in known.assignments
    ]
    if body.references is not None:
        own = {one.name: one.mapping for one in kept}
        return [one.model_copy(update={"mapping": one.mapping or own.get(one.name)}) for one in body.references]
    if body.mapping is None:
        return kept
    if len(kept) != 1:
        raise InvalidRequest("mapping", "is of one evaluator, and the rule has several: give them in evaluators")
    return [kept[0].model_copy(update={"mapping": body.mapping})]


def _bodies(one: Assignment) -> list[MappingBody] | None:
    if one.type is EvaluatorType.CODE:
        return None
    return [
        MappingBody.model_construct(variable=each.variable, source=each.source, json_path=each.json_path)
        for each in one.mapping
    ]


def _assignment(evaluator: ProjectEvaluator, mapping: list[MappingBody] | None, target: RuleTarget) -> Assignment:
    type_ = evaluator.definition.type
    if type_ is EvaluatorType.CODE:
        if mapping is not None:
            raise RuleInvalid.of(
                "invalid_body", "mapping: code is given everything: leave it out", {"field": "mapping"}
            )
        return Assignment(evaluator.id, evaluator.name, type_, ())
    mappings = tuple(one.mapping for one in mapping or ())
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

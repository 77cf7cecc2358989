"""Drafts of evaluation rules: names become evaluators, and what could not run is refused with its reason."""

from collections.abc import Sequence
from datetime import timedelta

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluation_errors import RuleInvalid
from heliograph.domain.evaluation_rules import (
    DELAYS,
    Assignment,
    EvaluationRule,
    NewRule,
    TimeScope,
)
from heliograph.domain.not_found import EvaluatorNotFound
from heliograph.domain.project_evaluators import EvaluatorType
from pipelines.rule_checks import Assigned, RuleChecks
from serve_apps.api.shapes.evaluation_rules import AssignedEvaluator, MappingBody, RuleBody, RuleChange
from storage.postgres.evaluators import Evaluators


class RuleDrafts:
    """Makes rules of one project out of what was sent."""

    def __init__(self, evaluators: Evaluators, checks: RuleChecks) -> None:
        self._evaluators = evaluators
        self._checks = checks

    async def of(self, body: RuleBody) -> NewRule:
        """A new rule; raises as `RuleChecks.completed` does, and EvaluatorNotFound for one that the project lacks."""
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
        return await self._checks.completed(rule, await self._named(body.references))

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
        return await self._checks.completed(rule, await self._named(_references(known, body)))

    async def _named(self, references: Sequence[AssignedEvaluator]) -> list[Assigned]:
        found: list[Assigned] = []
        for reference in references:
            if reference.scope != "project":
                raise EvaluatorNotFound(f"{reference.name!r} of scope {reference.scope}")
            if not reference.id and not reference.name:
                raise RuleInvalid.of("invalid_body", "evaluator: give its name", {"field": "evaluator.name"})
            by_id = self._evaluators.get(reference.id) if reference.id else self._evaluators.named(reference.name)
            evaluator = await by_id
            if reference.type is not None and reference.type != evaluator.definition.type:
                raise EvaluatorNotFound(f"{evaluator.name!r} of type {reference.type}")
            mapping = None if reference.mapping is None else [each.mapping for each in reference.mapping]
            found.append((evaluator, mapping))
        return found


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

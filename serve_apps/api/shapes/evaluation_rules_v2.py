"""Evaluation rules as their second generation of routes shows and takes them."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from heliograph.domain.evaluation_rules import EvaluationRule, RuleTarget
from heliograph.domain.filters import BooleanCondition, Condition
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.evaluation_rules import (
    AssignedEvaluator,
    Mappings,
    MappingShape,
    Name,
    RuleBody,
    RuleChange,
    Sampling,
    filter_shape,
    mapping_shape,
)
from serve_apps.api.shapes.models import Body
from serve_apps.api.shapes.values import ConditionShape, Instant, JsonShape, iso

_IS_ITEM = BooleanCondition(type="boolean", column="isExperimentItemRootSpan", operator="=", value=True)


class AssignmentBody(Body):
    """An evaluator of a rule, with what fills its variables."""

    evaluator_id: Annotated[Text, Field(min_length=1, max_length=255)]
    variable_mapping: Mappings | None = None


class ChangedRule(Body):
    """What of a rule is to change; what is absent stays."""

    name: Name | None = None
    enabled: bool | None = None
    sampling: Sampling | None = None
    filter: Annotated[tuple[Condition, ...], Field(max_length=100)] | None = None
    evaluator_assignments: Annotated[list[AssignmentBody], Field(min_length=1, max_length=100)] | None = None

    @property
    def parts(self) -> dict[str, Any]:
        """What is named, as the other generation names it: items of experiments are a target there."""
        named: dict[str, Any] = {name: getattr(self, name) for name in ("name", "enabled", "sampling")}
        if self.filter is not None:
            others = tuple(condition for condition in self.filter if condition != _IS_ITEM)
            is_of_items = len(others) < len(self.filter)
            target = RuleTarget.EXPERIMENT if is_of_items else RuleTarget.OBSERVATION
            named |= {"filter": others, "target": target}
        if self.evaluator_assignments is not None:
            named["evaluators"] = [
                AssignedEvaluator.model_construct(id=one.evaluator_id, mapping=one.variable_mapping)
                for one in self.evaluator_assignments
            ]
        return {name: value for name, value in named.items() if value is not None}

    @property
    def change(self) -> RuleChange:
        """The same in the other generation's parts."""
        return RuleChange.model_construct(**self.parts)


class NewRuleBody(ChangedRule):
    """A rule to be created."""

    name: Name
    enabled: bool
    evaluator_assignments: Annotated[list[AssignmentBody], Field(min_length=1, max_length=100)]

    @property
    def rule(self) -> RuleBody:
        """The same in the other generation's parts."""
        return RuleBody.model_construct(**{"target": RuleTarget.OBSERVATION, **self.parts})


class AssignmentShapeV2(JsonShape):
    """An evaluator of a rule, and what fills its variables."""

    evaluatorId: str
    variableMapping: Sequence[MappingShape]


class EvaluationRuleV2(JsonShape):
    """A rule; one over items of experiments says so in its filter."""

    id: str
    name: str
    createdBy: None
    enabled: bool
    sampling: float
    filter: Sequence[ConditionShape]
    evaluatorAssignments: Sequence[AssignmentShapeV2]
    createdAt: Instant
    updatedAt: Instant


def rule_v2(rule: EvaluationRule) -> EvaluationRuleV2:
    """The contract's rule; one over items of experiments says so in its filter."""
    conditions = (_IS_ITEM, *rule.filter) if rule.target is RuleTarget.EXPERIMENT else rule.filter
    return {
        "id": rule.id,
        "name": rule.name,
        "createdBy": None,
        "enabled": rule.is_enabled,
        "sampling": rule.sampling,
        "filter": filter_shape(conditions),
        "evaluatorAssignments": [
            {"evaluatorId": one.evaluator_id, "variableMapping": mapping_shape(one)} for one in rule.assignments
        ],
        "createdAt": iso(rule.created_at),
        "updatedAt": iso(rule.updated_at),
    }

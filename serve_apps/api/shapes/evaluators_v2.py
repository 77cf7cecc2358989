"""Evaluators and rules as their second generation of routes shows and takes them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from heliograph.domain.evaluation_rules import EvaluationRule, RuleTarget
from heliograph.domain.filters import BooleanCondition, Condition
from heliograph.domain.project_evaluators import (
    Definition,
    EvaluatorType,
    EvaluatorVersion,
    ModelChoice,
    Output,
    ProjectEvaluator,
)
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.evaluation_rules import (
    AssignedEvaluator,
    Mappings,
    Name,
    RuleBody,
    RuleChange,
    Sampling,
    filter_shape,
    mapping_shape,
)
from serve_apps.api.shapes.evaluators import CodeBody, model_shape
from serve_apps.api.shapes.models import Body
from serve_apps.api.shapes.values import iso

# What a judge is told of its answer where the evaluator says nothing of it.
_REASONING, _SCORE = "Why this score is given.", "The score that the instructions ask for."
_OUTPUT: TypeAdapter[Output] = TypeAdapter(Output)
_IS_ITEM = BooleanCondition(type="boolean", column="isExperimentItemRootSpan", operator="=", value=True)
# Nothing keeps these yet: what would be lost in silence is refused.
_Unkept = Annotated[None, Field(description="Is not kept here: leave it out.")]


class MessageBody(Body):
    """The one message of a prompt; Heliograph's judges are asked by one."""

    role: Literal["user"]
    content: Annotated[Text, Field(min_length=1, max_length=200_000)]


class OutputBody(Body):
    """What a judge answers with, flat."""

    data_type: Literal["NUMERIC", "BOOLEAN", "CATEGORICAL"]
    min_value: float | None = None
    max_value: float | None = None
    categories: list[Text] | None = None
    should_allow_multiple_matches: bool | None = None
    score_reasoning_instructions: Text | None = None
    score_value_instructions: Text | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _ = self.output
        return self

    @property
    def output(self) -> Output:
        """The same in parts."""
        score = {
            "description": self.score_value_instructions or _SCORE,
            "minValue": self.min_value,
            "maxValue": self.max_value,
            "categories": self.categories,
            "shouldAllowMultipleMatches": self.should_allow_multiple_matches,
        }
        return _OUTPUT.validate_python(
            {
                "dataType": self.data_type,
                "reasoning": {"description": self.score_reasoning_instructions or _REASONING},
                "score": {name: value for name, value in score.items() if value is not None},
            }
        )


class Judge(Body):
    """A prompt and what is to be answered to it."""

    name: Name
    type: Literal["llm_as_judge"]
    description: _Unkept = None
    prompt: (
        Annotated[Text, Field(min_length=1, max_length=200_000)]
        | Annotated[list[MessageBody], Field(min_length=1, max_length=1)]
    )
    output_definition: OutputBody
    variable_mapping: _Unkept = None
    model_settings: ModelChoice | None = Field(default=None, validation_alias="modelConfig")

    @property
    def definition(self) -> Definition:
        """What it defines."""
        prompt = self.prompt if isinstance(self.prompt, str) else self.prompt[0].content
        return Definition(
            type=EvaluatorType.LLM_AS_JUDGE,
            prompt=prompt,
            output=self.output_definition.output,
            model=self.model_settings,
        )


class Code(CodeBody):
    """A function `evaluate`."""

    description: _Unkept = None


class ChangedJudge(Judge):
    """The next version of a prompt, perhaps under another name."""

    name: Name | None = None  # type: ignore[assignment] # what is absent stays


class ChangedCode(Code):
    """The next version of code, perhaps under another name."""

    name: Name | None = None  # type: ignore[assignment] # what is absent stays


class Renamed(Body):
    """Another name."""

    name: Name
    description: _Unkept = None

    @property
    def definition(self) -> None:
        """It defines nothing."""


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


def evaluator_v2(evaluator: ProjectEvaluator, rules: Sequence[EvaluationRule]) -> dict[str, Any]:
    """The contract's evaluator in its latest version, with the rules that use it."""
    latest = EvaluatorVersion(
        version=evaluator.version,
        definition=evaluator.definition,
        created_at=evaluator.version_created_at,
    )
    version = version_v2(evaluator.id, latest)
    uses = [(rule, one) for rule in rules for one in rule.assignments if one.evaluator_id == evaluator.id]
    blocks = [rule.block for rule, _ in uses if rule.is_enabled and rule.block is not None]
    block = blocks[0] if blocks else None
    return version | {
        "id": evaluator.id,
        "name": evaluator.name,
        "description": None,
        "createdBy": None,
        "status": "active" if block is None else "paused",
        "pausedAt": None if block is None else iso(block.at),
        "pausedReason": None if block is None else block.reason,
        "pausedMessage": None if block is None else block.message,
        "evaluationRuleAssignments": [
            {"evaluationRuleId": rule.id, "variableMappingOverride": mapping_shape(one)} for rule, one in uses
        ],
        "createdAt": iso(evaluator.created_at),
        "updatedAt": iso(evaluator.updated_at),
        "versionId": version["id"],
        "versionCreatedAt": version["createdAt"],
        "versionCreatedBy": None,
    }


def version_v2(evaluator_id: str, version: EvaluatorVersion) -> dict[str, Any]:
    """One version of an evaluator."""
    definition = version.definition
    shape: dict[str, Any] = {
        "id": f"{evaluator_id}-v{version.version}",
        "version": version.version,
        "type": definition.type.value,
        "createdAt": iso(version.created_at),
        "createdBy": None,
    }
    if definition.type is EvaluatorType.CODE:
        return shape | {"sourceCode": definition.source_code, "sourceCodeLanguage": definition.language.value}
    return shape | {
        "prompt": [{"role": "user", "content": definition.prompt}],
        "variables": list(definition.variables),
        "variableMapping": None,
        "modelConfig": model_shape(definition.model),
        "outputDefinition": None if definition.output is None else _output_shape(definition.output),
    }


def _output_shape(output: Output) -> dict[str, Any]:
    document = output.document()
    reasoning, score = document["reasoning"]["description"], document["score"].pop("description")
    return {
        "dataType": output.data_type,
        **document["score"],
        "scoreReasoningInstructions": None if reasoning == _REASONING else reasoning,
        "scoreValueInstructions": None if score == _SCORE else score,
    }


def rule_v2(rule: EvaluationRule) -> dict[str, Any]:
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

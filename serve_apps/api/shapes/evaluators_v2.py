"""Evaluators as their second generation of routes shows and takes them."""

from collections.abc import Sequence
from typing import Annotated, Literal, NotRequired, Self, cast

from pydantic import Field, TypeAdapter, model_validator
from typing_extensions import TypeAliasType

from heliograph.domain.evaluation_rules import EvaluationRule
from heliograph.domain.project_evaluators import (
    Definition,
    EvaluatorType,
    EvaluatorVersion,
    Language,
    ModelChoice,
    Output,
    ProjectEvaluator,
)
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.evaluation_rules import MappingShape, Name, mapping_shape
from serve_apps.api.shapes.evaluators import CodeBody, ModelChoiceShape, model_shape
from serve_apps.api.shapes.models import Body
from serve_apps.api.shapes.values import Instant, JsonShape, iso

# What a judge is told of its answer where the evaluator says nothing of it.
_REASONING, _SCORE = "Why this score is given.", "The score that the instructions ask for."
_OUTPUT: TypeAdapter[Output] = TypeAdapter(Output)
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


class OutputShapeV2(JsonShape):
    """What a judge answers with, flat; the instructions are null where nothing is told of its answer."""

    dataType: Literal["NUMERIC", "BOOLEAN", "CATEGORICAL"]
    minValue: NotRequired[float]
    maxValue: NotRequired[float]
    categories: NotRequired[Sequence[str]]
    shouldAllowMultipleMatches: NotRequired[bool]
    scoreReasoningInstructions: str | None
    scoreValueInstructions: str | None


class MessageShape(JsonShape):
    """A message of a prompt."""

    role: Literal["user"]
    content: str


class _VersionFields(JsonShape):
    id: str
    version: int
    createdAt: Instant
    createdBy: None


class _JudgeFields(JsonShape):
    type: Literal["llm_as_judge"]
    prompt: Sequence[MessageShape]
    variables: Sequence[str]
    variableMapping: None
    modelConfig: ModelChoiceShape | None
    outputDefinition: OutputShapeV2 | None


class _CodeFields(JsonShape):
    type: Literal["code"]
    sourceCode: str
    sourceCodeLanguage: Language


class JudgeVersionV2(_VersionFields, _JudgeFields):
    """A version of a prompt for a judge."""


class CodeVersionV2(_VersionFields, _CodeFields):
    """A version of a function `evaluate`."""


EvaluatorVersionV2 = TypeAliasType(
    "EvaluatorVersionV2", Annotated[JudgeVersionV2 | CodeVersionV2, Field(discriminator="type")]
)


class RuleOfEvaluator(JsonShape):
    """A rule that uses an evaluator, and what fills its variables there."""

    evaluationRuleId: str
    variableMappingOverride: Sequence[MappingShape]


class _EvaluatorFields(_VersionFields):
    name: str
    description: None
    status: Literal["active", "paused"]
    pausedAt: Instant | None
    pausedReason: str | None
    pausedMessage: str | None
    evaluationRuleAssignments: Sequence[RuleOfEvaluator]
    updatedAt: Instant
    versionId: str
    versionCreatedAt: Instant
    versionCreatedBy: None


class JudgeV2(_EvaluatorFields, _JudgeFields):
    """A prompt for a judge in its latest version, with the rules that use it."""


class CodeV2(_EvaluatorFields, _CodeFields):
    """A function `evaluate` in its latest version, with the rules that use it."""


EvaluatorV2 = TypeAliasType("EvaluatorV2", Annotated[JudgeV2 | CodeV2, Field(discriminator="type")])


def evaluator_v2(evaluator: ProjectEvaluator, rules: Sequence[EvaluationRule]) -> JudgeV2 | CodeV2:
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
    return cast(
        "JudgeV2 | CodeV2",
        {
            **version,
            "id": evaluator.id,
            "name": evaluator.name,
            "description": None,
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
        },
    )


def version_v2(evaluator_id: str, version: EvaluatorVersion) -> JudgeVersionV2 | CodeVersionV2:
    """One version of an evaluator."""
    definition = version.definition
    fields: _VersionFields = {
        "id": f"{evaluator_id}-v{version.version}",
        "version": version.version,
        "createdAt": iso(version.created_at),
        "createdBy": None,
    }
    if definition.type is EvaluatorType.CODE:
        return {
            **fields,
            "type": "code",
            "sourceCode": definition.source_code,
            "sourceCodeLanguage": definition.language,
        }
    return {
        **fields,
        "type": "llm_as_judge",
        "prompt": [{"role": "user", "content": definition.prompt}],
        "variables": list(definition.variables),
        "variableMapping": None,
        "modelConfig": model_shape(definition.model),
        "outputDefinition": None if definition.output is None else _output_shape(definition.output),
    }


def _output_shape(output: Output) -> OutputShapeV2:
    document = output.document()
    reasoning, score = document["reasoning"]["description"], document["score"].pop("description")
    told: OutputShapeV2 = {
        "dataType": output.data_type,
        "scoreReasoningInstructions": None if reasoning == _REASONING else reasoning,
        "scoreValueInstructions": None if score == _SCORE else score,
    }
    return cast("OutputShapeV2", {**told, **document["score"]})

"""Evaluators of projects as the API shows and takes them."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from typing_extensions import TypeAliasType

from heliograph.domain.evaluation_errors import RuleInvalid
from heliograph.domain.project_evaluators import (
    MAX_NAME,
    MAX_PROMPT,
    MAX_SOURCE_BYTES,
    Definition,
    EvaluatorType,
    Language,
    ModelChoice,
    Output,
    ProjectEvaluator,
)
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.models import Body
from serve_apps.api.shapes.values import Instant, JsonObject, JsonShape, SchemaOf, iso

SCOPE: Literal["project"] = "project"


def _within_bytes(source: str) -> str:
    if len(source.encode()) > MAX_SOURCE_BYTES:
        raise ValueError(f"has more than {MAX_SOURCE_BYTES} bytes")
    return source


class JudgeBody(Body):
    """A prompt and what is to be answered to it; without a type, as of before there was code."""

    name: Annotated[Text, Field(min_length=1, max_length=MAX_NAME)]
    type: Literal["llm_as_judge"] = "llm_as_judge"
    prompt: Annotated[Text, Field(min_length=1, max_length=MAX_PROMPT)]
    output_definition: Output
    model_settings: ModelChoice | None = Field(default=None, validation_alias="modelConfig")

    @property
    def definition(self) -> Definition:
        """What it defines."""
        return Definition(
            type=EvaluatorType.LLM_AS_JUDGE,
            prompt=self.prompt,
            output=self.output_definition,
            model=self.model_settings,
        )


class CodeBody(Body):
    """A function `evaluate`."""

    name: Annotated[Text, Field(min_length=1, max_length=MAX_NAME)]
    type: Literal["code"]
    source_code: Annotated[Text, Field(min_length=1), AfterValidator(_within_bytes)]
    source_code_language: Language

    @property
    def definition(self) -> Definition:
        """What it defines; raises RuleInvalid where nothing here runs its language."""
        if self.source_code_language is not Language.PYTHON:
            reason = "sourceCodeLanguage: only PYTHON runs here"
            raise RuleInvalid.of(
                "invalid_body", reason, {"field": "sourceCodeLanguage", "allowedValues": [Language.PYTHON.value]}
            )
        return Definition(type=EvaluatorType.CODE, source_code=self.source_code, language=self.source_code_language)


ModelChoiceShape = TypeAliasType("ModelChoiceShape", Annotated[JsonObject, SchemaOf(ModelChoice)])


class _EvaluatorFields(JsonShape):
    id: str
    name: str
    version: int
    scope: Literal["project"]
    variables: Sequence[str]
    evaluationRuleCount: int
    createdAt: Instant
    updatedAt: Instant


class JudgeShape(_EvaluatorFields):
    """A prompt for a judge, and what it answers; without a model it asks the project's default one."""

    type: Literal["llm_as_judge"]
    prompt: str
    outputDefinition: Annotated[JsonObject, SchemaOf(Output)] | None
    modelConfig: ModelChoiceShape | None


class CodeShape(_EvaluatorFields):
    """A function `evaluate`."""

    type: Literal["code"]
    sourceCode: str
    sourceCodeLanguage: Language


EvaluatorShape = TypeAliasType("EvaluatorShape", Annotated[JudgeShape | CodeShape, Field(discriminator="type")])


class DefaultModelShape(JsonShape):
    """The model that judges ask whose evaluators name none; null where there is none."""

    modelConfig: ModelChoiceShape | None


def evaluator_shape(evaluator: ProjectEvaluator) -> JudgeShape | CodeShape:
    """The contract's evaluator in its latest version."""
    definition = evaluator.definition
    shape: _EvaluatorFields = {
        "id": evaluator.id,
        "name": evaluator.name,
        "version": evaluator.version,
        "scope": SCOPE,
        "variables": list(definition.variables),
        "evaluationRuleCount": evaluator.rule_count,
        "createdAt": iso(evaluator.created_at),
        "updatedAt": iso(evaluator.updated_at),
    }
    if definition.type is EvaluatorType.CODE:
        return {
            **shape,
            "type": "code",
            "sourceCode": definition.source_code,
            "sourceCodeLanguage": definition.language,
        }
    return {
        **shape,
        "type": "llm_as_judge",
        "prompt": definition.prompt,
        "outputDefinition": definition.output.document() if definition.output else None,
        "modelConfig": model_shape(definition.model),
    }


def model_shape(model: ModelChoice | None) -> ModelChoiceShape | None:
    """The contract's choice of a model."""
    return None if model is None else model.document()

"""Evaluators that a project keeps: a prompt for a judge with what it must answer, or code; each in versions."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AliasGenerator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.wire import Storable

_VARIABLE = re.compile(r"{{\s*([A-Za-z_][\w.\-]*)\s*}}")
# What code is given, whoever wrote it: the contract's names.
CODE_VARIABLES = (
    *("input", "output", "metadata", "toolCalls"),
    *("experimentItemExpectedOutput", "experimentItemMetadata"),
)
MAX_NAME, MAX_PROMPT = 255, 200_000
MAX_SOURCE_BYTES = 256 << 10


class EvaluatorType(StrEnum):
    """What gives the verdicts."""

    LLM_AS_JUDGE = "llm_as_judge"
    CODE = "code"


class Language(StrEnum):
    """What code is written in."""

    PYTHON = "PYTHON"
    TYPESCRIPT = "TYPESCRIPT"


class _Document(Storable):
    """A part of an evaluator that is stored as it travels."""

    model_config = ConfigDict(frozen=True, alias_generator=AliasGenerator(alias=to_camel), populate_by_name=True)

    def document(self) -> dict[str, Any]:
        """Plain JSON values, in the contract's spelling."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Described(_Document):
    """What the judge is told of a field of its answer."""

    description: Annotated[str, Field(min_length=1, max_length=20_000)]


class NumericScore(Described):
    """A number, within bounds where there are some."""

    min_value: Annotated[float | None, Field(allow_inf_nan=False)] = None
    max_value: Annotated[float | None, Field(allow_inf_nan=False)] = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_value is not None and self.max_value is not None and self.min_value > self.max_value:
            raise ValueError("minValue must not be greater than maxValue")
        return self


class CategoricalScore(Described):
    """One of some labels, or several of them."""

    categories: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=500)], ...], Field(min_length=2, max_length=100)
    ]
    should_allow_multiple_matches: bool = False

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.categories)) < len(self.categories):
            raise ValueError("categories must be different from each other")
        return self


class NumericOutput(_Document):
    """The judge answers with a number."""

    data_type: Literal["NUMERIC"]
    reasoning: Described
    score: NumericScore


class BooleanOutput(_Document):
    """The judge answers with true or false."""

    data_type: Literal["BOOLEAN"]
    reasoning: Described
    score: Described


class CategoricalOutput(_Document):
    """The judge answers with a label."""

    data_type: Literal["CATEGORICAL"]
    reasoning: Described
    score: CategoricalScore


Output = Annotated[NumericOutput | BooleanOutput | CategoricalOutput, Field(discriminator="data_type")]


class ModelChoice(_Document):
    """The model that a judge asks, by the provider of one of the project's connections."""

    provider: Annotated[str, Field(min_length=1, max_length=255)]
    model: Annotated[str, Field(min_length=1, max_length=255)]
    model_params: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What one version of an evaluator says: a prompt and its output, or code."""

    type: EvaluatorType
    prompt: str = ""
    output: Output | None = None
    # Without one, the project's default model for evaluations.
    model: ModelChoice | None = None
    source_code: str = ""
    language: Language = Language.PYTHON

    @property
    def variables(self) -> tuple[str, ...]:
        """What a rule maps: the variables of the prompt in their order, or what every code is given."""
        return CODE_VARIABLES if self.type is EvaluatorType.CODE else variables_of(self.prompt)


@dataclass(frozen=True, kw_only=True)
class EvaluatorVersion:
    """What one version of an evaluator says; it never changes."""

    version: int
    definition: Definition
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class ProjectEvaluator:
    """An evaluator in its latest version; `rule_count` rules use it."""

    id: str
    project_id: ProjectId
    name: str
    version: int
    definition: Definition
    rule_count: int
    created_at: datetime
    updated_at: datetime
    version_created_at: datetime


def variables_of(prompt: str) -> tuple[str, ...]:
    """The variables of a prompt, each once, in their order."""
    return tuple(dict.fromkeys(_VARIABLE.findall(prompt)))


def filled(prompt: str, values: Mapping[str, str]) -> str:
    """The prompt with values in place of its variables, in one pass: what a value says is not read again."""
    return _VARIABLE.sub(lambda found: values.get(found[1], ""), prompt)


def check(name: str, definition: Definition) -> None:
    """Raises InvalidRequest when an evaluator cannot be kept so."""
    if not name or len(name) > MAX_NAME:
        raise InvalidRequest("name", f"has 1 to {MAX_NAME} characters")
    if definition.type is EvaluatorType.CODE:
        if not definition.source_code or len(definition.source_code.encode()) > MAX_SOURCE_BYTES:
            raise InvalidRequest("code", f"has 1 to {MAX_SOURCE_BYTES} bytes")
        if definition.language is not Language.PYTHON:
            raise InvalidRequest("language", "only PYTHON runs here")
    elif not definition.prompt or len(definition.prompt) > MAX_PROMPT:
        raise InvalidRequest("prompt", f"has 1 to {MAX_PROMPT} characters")
    elif definition.output is None:
        raise InvalidRequest("output", "is needed: say what the judge answers")

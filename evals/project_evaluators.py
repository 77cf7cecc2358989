"""Evaluators of projects made ready: a prompt that a judge is asked, or code in its sandbox; both give scores."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evals.errors import CodeOutputInvalid
from evals.judging.rubric import answer_schema, judged
from evals.judging.scales import Scale
from evals.sandbox.process import CodeProcess
from heliograph.content_hash import content_hash
from heliograph.domain.errors import EvaluationSkipped
from heliograph.domain.evaluation_rules import VariableMapping
from heliograph.domain.evaluators import Judge, Message, Prompt, Value, ValueRule
from heliograph.domain.project_evaluators import BooleanOutput, CategoricalOutput, Definition, Output, filled
from heliograph.domain.scores import ScoreDataType
from heliograph.variables import Source
from heliograph.vectorised import text_of

_SYSTEM = """Answer with one JSON object and nothing else: {{"reasoning": ..., "score": ...}}
reasoning: {reasoning}
score: {score}"""
_MAX_SCORES = 50


@dataclass(frozen=True, slots=True)
class GivenScore:
    """A value that an evaluator gives, and why; without a name it has the evaluator's."""

    value: Value
    data_type: ScoreDataType
    comment: str = ""
    name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


def version_of(definition: Definition, mapping: Sequence[VariableMapping], judge: str = "") -> str:
    """The hash of all that shapes the verdicts of an evaluator under a rule."""
    output = definition.output.document() if definition.output else None
    model = definition.model.document() if definition.model else judge
    places = {one.variable: [str(one.source), one.json_path] for one in mapping}
    return content_hash(
        prompt=definition.prompt, output=output, model=model, code=definition.source_code, mapping=places
    )


async def judged_scores(
    judge: Judge, definition: Definition, mapping: Sequence[VariableMapping], *, target: Mapping[str, Any]
) -> list[GivenScore]:
    """What a judge says of a target; several scores where several labels may hold.

    Raises:
        EvaluationSkipped: the target has nothing of what the prompt asks for.
        NoVerdict, CallFailed: the judge gave none.
    """
    assert definition.output is not None
    read = {one.variable: Source(one.source, one.json_path).read(target) for one in mapping}
    values = {name: text_of(value) or "" for name, value in read.items()}
    if values and not any(values.values()):
        raise EvaluationSkipped(f"{', '.join(values)} of the target is empty")
    question = Question(filled(definition.prompt, values), definition.output)
    verdict = await judged(judge, question)
    answers = verdict.metadata["answer"]
    labels = answers if isinstance(answers, list) else [verdict.value]
    data_type = ScoreDataType(definition.output.data_type)
    return [GivenScore(label, data_type, verdict.reason) for label in labels]


async def coded_scores(process: CodeProcess, target: Mapping[str, Any]) -> list[GivenScore]:
    """What code says of a target.

    Raises:
        CodeBroken: it failed, or its scores are none.
        SandboxUnavailable: it cannot be run here.
    """
    scores = await process.evaluate(target)
    if len(scores) > _MAX_SCORES:
        raise CodeOutputInvalid(f"it gave {len(scores)} scores, which is more than {_MAX_SCORES}")
    return [_coded(score) for score in scores]


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt of a project with its variables filled, and what must be answered."""

    text: str
    output: Output

    @property
    def scale(self) -> Scale:
        """What may be answered."""
        return _scale(self.output)

    def prompt(self, parts: Mapping[str, Any]) -> Prompt:
        """The messages; the parts are in the text already."""
        del parts
        told = _SYSTEM.format(reasoning=self.output.reasoning.description, score=self.output.score.description)
        return Message("system", told), Message("user", self.text)

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer."""
        return answer_schema(self.scale)


class _AsAnswered(Scale):
    """Keeps numbers as they are, and takes a list where several labels may hold."""

    def read(self, score: object) -> tuple[Any, str]:
        """The answer as it is meant, and why it is none."""
        if isinstance(score, list) and self.schema["type"] == "array":
            problems = [problem for one in score if (problem := self.rule.problem(one))]
            return score, problems[0] if problems else ""
        if self.rule.data_type is ScoreDataType.NUMERIC:
            number = _number(score)
            return number, self.rule.problem(number)
        read, problem = Scale.read(self, score)
        return ([read] if self.schema["type"] == "array" else read), problem

    def value(self, answer: Any) -> Value:
        """The answer itself; of several the first."""
        if isinstance(answer, list):
            return str(answer[0]) if answer else ""
        return answer if isinstance(answer, bool | int | float) else str(answer)


def _number(score: object) -> object:
    if not isinstance(score, str):
        return score
    try:
        return float(score)
    except ValueError:
        return score


def _scale(output: Output) -> Scale:
    if isinstance(output, BooleanOutput):
        rule, schema = ValueRule(ScoreDataType.BOOLEAN), {"type": "boolean"}
        return _AsAnswered(rule, (("true", ""), ("false", "")), schema)
    if isinstance(output, CategoricalOutput):
        rule = ValueRule(ScoreDataType.CATEGORICAL, categories=output.score.categories)
        one: dict[str, Any] = {"type": "string", "enum": list(output.score.categories)}
        many: dict[str, Any] = {"type": "array", "items": one}
        wanted = many if output.score.should_allow_multiple_matches else one
        return _AsAnswered(rule, tuple((name, "") for name in output.score.categories), wanted)
    low, high = output.score.min_value, output.score.max_value
    allowed = f"a number from {'any' if low is None else low} to {'any' if high is None else high}"
    return _AsAnswered(ValueRule(ScoreDataType.NUMERIC, low, high), ((allowed, ""),), {"type": "number"})


def _coded(score: Mapping[str, Any]) -> GivenScore:
    value, wanted = score.get("value"), score.get("dataType")
    if not isinstance(value, bool | int | float | str):
        raise CodeOutputInvalid(f"{value!r} is no value of a score")
    data_type = _data_type(value, wanted)
    if data_type is ScoreDataType.BOOLEAN and not isinstance(value, bool):
        value = bool(value)
    problem = ValueRule(data_type).problem(value)
    if problem:
        raise CodeOutputInvalid(f"of type {data_type}: {problem}")
    metadata = score.get("metadata")
    return GivenScore(
        value,
        data_type,
        str(score.get("comment") or ""),
        str(score.get("name") or ""),
        {str(key): part if isinstance(part, str) else json.dumps(part) for key, part in metadata.items()}
        if isinstance(metadata, dict)
        else {},
    )


def _data_type(value: Value, wanted: object) -> ScoreDataType:
    if isinstance(wanted, str):
        try:
            return ScoreDataType(wanted.upper())
        except ValueError:
            raise CodeOutputInvalid(f"{wanted!r} is no type of a score") from None
    if isinstance(value, bool):
        return ScoreDataType.BOOLEAN
    return ScoreDataType.CATEGORICAL if isinstance(value, str) else ScoreDataType.NUMERIC

"""What an evaluator says of a target, what it may ask for, and the models that it asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import pyarrow as pa

from heliograph.domain.scores import ScoreDataType

Value = float | bool | str


class OutcomeStatus(StrEnum):
    """What became of one evaluation; every aggregate counts the three apart."""

    SCORED = "scored"
    # The target lacks what the evaluator needs, or the evaluator does not apply to it: nothing went wrong.
    SKIPPED = "skipped"
    # The evaluator or its judge broke: worth trying again.
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Spending:
    """What the models behind a verdict used; `cost_usd` is None where the model has no known price."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0
    calls: int = 0

    def __add__(self, other: "Spending") -> "Spending":
        known = self.cost_usd is not None and other.cost_usd is not None
        return Spending(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            (self.cost_usd or 0.0) + (other.cost_usd or 0.0) if known else None,
            self.calls + other.calls,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """A value and why: what becomes a score. `metadata` holds plain JSON values.

    Attributes:
        name: of the score, where it is not the evaluator's.
        data_type: of the score, where the value alone does not tell.
        further: what the evaluator says beside it, as when several labels hold: a score each.
    """

    value: Value
    reason: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    spending: Spending = Spending()
    name: str = ""
    data_type: ScoreDataType | None = None
    further: tuple["Verdict", ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict, or why there is none."""

    status: OutcomeStatus
    verdict: Verdict | None = None
    reason: str = ""
    # The type of the error behind a failure, for counting causes.
    cause: str = ""
    spending: Spending = Spending()

    @classmethod
    def scored(cls, verdict: Verdict) -> "Outcome":
        return cls(OutcomeStatus.SCORED, verdict, spending=verdict.spending)

    @classmethod
    def skipped(cls, reason: str) -> "Outcome":
        return cls(OutcomeStatus.SKIPPED, reason=reason)

    @classmethod
    def failed(cls, error: BaseException) -> "Outcome":
        """Of an error; what it cost is kept where the error says so."""
        spending = getattr(error, "spending", Spending())
        cause = type(error).__name__
        return cls(OutcomeStatus.FAILED, reason=f"{cause}: {error}", cause=cause, spending=spending)


# One row for each target, in the targets' order. A boolean has 1 or 0 as its value and `True` or `False` as its label.
OUTCOMES = pa.schema(
    [
        pa.field("status", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("label", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class ValueRule:
    """Which values an evaluator's verdicts may have."""

    data_type: ScoreDataType
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] = ()

    def problem(self, value: object) -> str:
        """Why this is no such value; '' when it is one."""
        if self.data_type is ScoreDataType.BOOLEAN:
            return "" if isinstance(value, bool) else f"{value!r} is neither true nor false"
        if self.data_type is ScoreDataType.NUMERIC:
            return self._problem_of_number(value)
        if not isinstance(value, str):
            return f"{value!r} is no text"
        if self.categories and value not in self.categories:
            return f"{value!r} is none of {', '.join(self.categories)}"
        return ""

    def _problem_of_number(self, value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{value!r} is no number"
        low = float("-inf") if self.minimum is None else self.minimum
        high = float("inf") if self.maximum is None else self.maximum
        if abs(value) == float("inf") or not low <= value <= high:
            return f"{value!r} is not a number from {low:g} to {high:g}"
        return ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool, as a model asked for it."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A message to a model: of `system`, `user` or `assistant`."""

    role: str
    content: str


Prompt = Sequence[Message]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered; `refusal` is what it said instead of answering, as some providers tell apart."""

    text: str
    refusal: str = ""
    finish_reason: str = "stop"
    spending: Spending = Spending()


class Judge(Protocol):
    """A model that answers a prompt with JSON of a schema."""

    @property
    def identity(self) -> str:
        """The model and all parameters that shape its answers: a part of every version of an evaluator that asks it."""

    async def ask(self, prompt: Prompt, schema: Mapping[str, Any]) -> Answer:
        """One answer, which need not keep to the schema.

        Raises:
            HeliographError: the provider cannot answer; the type says whether trying again may help.
        """


class Embedder(Protocol):
    """A model that turns texts into vectors."""

    @property
    def identity(self) -> str:
        """The model and its parameters."""

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector for each text, all of the same length."""

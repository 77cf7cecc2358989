"""The scales that a judge answers on: what each answer means, its JSON schema, and the value that it becomes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from heliograph.domain.evaluators import Value, ValueRule
from heliograph.domain.scores import ScoreDataType
from heliograph.evaluator import BOOLEAN, one_of


@dataclass(frozen=True, slots=True)
class Scale:
    """What may be answered, and what it means; `schema` is that of the answer's `score`."""

    rule: ValueRule
    meanings: tuple[tuple[str, str], ...]
    schema: Mapping[str, Any]

    def explained(self) -> str:
        return "\n".join(f"- {answer}: {meaning}" for answer, meaning in self.meanings)

    def read(self, score: object) -> tuple[Any, str]:
        """The answer as this scale means it, and why it is none, '' when it is one.

        Providers without structured output quote numbers and truth values, which is forgiven.
        """
        read = _READERS[self.rule.data_type](score)
        return read, self.rule.problem(read)

    def value(self, answer: Any) -> Value:
        """The value of a score: levels become the share of the way from the worst to the best."""
        if self.rule.data_type is not ScoreDataType.NUMERIC:
            return answer if isinstance(answer, bool) else str(answer)
        low, high = self.rule.minimum or 0.0, self.rule.maximum or 1.0
        return (float(answer) - low) / (high - low)


def levels(*anchors: str) -> Scale:
    """Whole numbers from 1 up, each with what it stands for, the worst first; the verdict is a share from 0 to 1.

    Few anchored levels agree better with people than a fine scale does.

    Source: Kim et al., Prometheus (2023), section 3; Liu et al., G-Eval (2023).
    """
    rule = ValueRule(ScoreDataType.NUMERIC, 1, len(anchors))
    meanings = tuple((str(level), anchor) for level, anchor in enumerate(anchors, 1))
    return Scale(rule, meanings, {"type": "integer", "enum": list(range(1, len(anchors) + 1))})


def yes_no(yes: str, no: str) -> Scale:
    """True or false."""
    return Scale(BOOLEAN, (("true", yes), ("false", no)), {"type": "boolean"})


def choices(**meanings: str) -> Scale:
    """One of some labels."""
    return Scale(one_of(*meanings), tuple(meanings.items()), {"type": "string", "enum": list(meanings)})


def _whole_number(score: object) -> object:
    if isinstance(score, str) and score.strip().isdecimal():
        return int(score)
    if isinstance(score, float) and not score.is_integer():
        return f"{score} (not a whole number)"
    return score


def _truth(score: object) -> object:
    return {"true": True, "false": False}.get(score.strip().lower(), score) if isinstance(score, str) else score


def _label(score: object) -> object:
    return score.strip() if isinstance(score, str) else score


_READERS: dict[ScoreDataType, Callable[[object], object]] = {
    ScoreDataType.NUMERIC: _whole_number,
    ScoreDataType.BOOLEAN: _truth,
    ScoreDataType.CATEGORICAL: _label,
}

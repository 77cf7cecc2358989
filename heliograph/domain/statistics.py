"""Figures that say on how many values they stand, as the server computes them and the client shows them."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

NAN = float("nan")
# JSON has no NaN: null stands for it.
Number = Annotated[
    float,
    BeforeValidator(lambda value: NAN if value is None else value),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "null"}]}),
]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many values a figure stands on, and how many targets had none because of a failure or a skip."""

    n: int
    failed: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its confidence interval; NaN where the values determine none, as a correlation of constants."""

    value: Number
    counts: Counts
    low: Number = NAN
    high: Number = NAN
    confidence: float = 0.95
    method: str = ""

    @property
    def has_interval(self) -> bool:
        """Whether the values determine one."""
        return self.low == self.low and self.high == self.high

    def __str__(self) -> str:
        """As people write it: `0.72 [0.61, 0.80], n = 40`."""
        interval = f" [{self.low:.4g}, {self.high:.4g}]" if self.has_interval else ""
        return f"{self.value:.4g}{interval}, n = {self.counts.n:,}"

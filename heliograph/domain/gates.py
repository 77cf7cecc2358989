"""Gates: what an experiment has to come to before something is released."""

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from heliograph.domain.comparisons import RunName
from heliograph.domain.statistics import Estimate
from heliograph.domain.wire import Stored, Wire

MAX_RULES = 50
GateName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^|<>\x00/]+$")]


class GateRule(Wire):
    """What one metric has to come to.

    Attributes:
        metric: a score's name, `cost_usd` or `latency_ms`.
        of: the experiment's mean, or its mean difference from the baseline.
        by: whether the whole interval has to keep the threshold, so that chance cannot pass it, or the estimate alone.
        evaluator_version: which version's scores count; None for the one that scored most items.
        min_items: on fewer items nothing is decided, and the rule fails.
    """

    metric: Annotated[str, Field(min_length=1)]
    at_least: float | None = None
    at_most: float | None = None
    of: Literal["value", "difference"] = "value"
    by: Literal["interval", "estimate"] = "interval"
    evaluator_version: str | None = None
    min_items: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("needs atLeast or atMost")
        return self


class Gate(Stored):
    """A policy that experiments over a dataset are held to; the same experiment always gets the same verdict.

    Attributes:
        dataset_version: the moment whose items have to have run; None for the items as they are.
        baseline: the experiment that differences are from.
        max_failed: the largest share of items whose task failed or did not run.
        confidence: of the intervals.
        seed: of the bootstrap.
    """

    name: GateName
    dataset_name: Annotated[str, Field(min_length=1)]
    dataset_version: AwareDatetime | None = None
    baseline: RunName | None = None
    rules: Annotated[tuple[GateRule, ...], Field(min_length=1, max_length=MAX_RULES)]
    max_failed: Annotated[float, Field(ge=0, le=1)] = 0.0
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    seed: int = 0

    @model_validator(mode="after")
    def _compared(self) -> Self:
        if self.baseline is None and any(rule.of == "difference" for rule in self.rules):
            raise ValueError("needs a baseline for rules of differences")
        return self


class GateCheck(Stored):
    """Does an experiment pass?"""

    experiment: RunName
    # In place of the gate's own.
    baseline: RunName | None = None


class RuleVerdict(Wire):
    """Whether a rule is kept, why, and the figure that decided."""

    rule: GateRule
    passed: bool
    reason: str
    estimate: Estimate | None


class GateVerdict(Wire):
    """Whether an experiment passes a gate, and for what reasons it does not."""

    gate: str
    experiment: str
    passed: bool
    reasons: tuple[str, ...]
    rules: tuple[RuleVerdict, ...]

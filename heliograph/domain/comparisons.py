"""What an experiment came to, and how another one differs from it."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from heliograph.domain.statistics import Estimate, Number
from heliograph.domain.wire import Stored, Wire

Control = Literal["holm", "benjamini-hochberg"]
OnVersionChange = Literal["refuse", "mark"]

MAX_RUN_NAME = 1_000
RunName = Annotated[str, Field(min_length=1, max_length=MAX_RUN_NAME)]
# Costs and latencies are measured on every item, whatever its evaluators are called.
COST, LATENCY = "cost_usd", "latency_ms"


class MetricKind(StrEnum):
    """What a metric is of: a score is better when it is higher, the others when they are lower."""

    SCORE = "score"
    COST = "cost"
    LATENCY = "latency"

    @property
    def is_better_low(self) -> bool:
        """Whether less of it is better."""
        return self is not MetricKind.SCORE


class Metric(Wire):
    """A figure of an experiment, over its items."""

    name: str
    kind: MetricKind
    # The evaluator's, '' where none is known. Of several, the one that scored most items.
    version: str
    other_versions: tuple[str, ...]
    mean: Estimate


class ExperimentSummary(Wire):
    """What an experiment came to: `failed` items raised in their task, and count as failed in every metric."""

    id: str
    name: str
    dataset_name: str
    items: int
    failed: int
    metrics: tuple[Metric, ...]


class ComparisonQuestion(Stored):
    """How does the second experiment over a dataset differ from the first?

    Attributes:
        control: what is kept low over all metrics that are tested: the chance of any false alarm, or their share.
        on_version_change: whether metrics of different evaluator versions are left out or marked.
        seed: of the bootstrap, so that the same question has the same answer.
        with_items: whether the differences of single items are answered, too.
    """

    dataset_name: Annotated[str, Field(min_length=1)]
    first: RunName
    second: RunName
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    control: Control = "holm"
    on_version_change: OnVersionChange = "refuse"
    seed: int = 0
    with_items: bool = False


class MetricComparison(Wire):
    """One metric of two experiments, over the items that both have.

    Attributes:
        refused: why it is not compared; '' when it is.
        difference: the mean of second minus first, with its bootstrap interval.
        test: McNemar's for ones and zeros, else Wilcoxon's.
        p_value: of the test alone; `adjusted_p_value` counts in how many metrics were tested.
        wins: on how many items the second is better, which for cost and latency is lower.
        minimal_detectable_effect: the smallest true difference that so many items show in four of five tries.
    """

    name: str
    kind: MetricKind
    first_version: str
    second_version: str
    refused: str = ""
    first: Estimate | None = None
    second: Estimate | None = None
    difference: Estimate | None = None
    test: str = ""
    p_value: Number = float("nan")
    adjusted_p_value: Number = float("nan")
    wins: int = 0
    ties: int = 0
    losses: int = 0
    minimal_detectable_effect: Number = float("nan")

    @property
    def is_across_versions(self) -> bool:
        """Whether two versions of the evaluator gave the scores, so that the difference may be the ruler's."""
        return self.first_version != self.second_version


class ItemDifference(Wire):
    """One metric of one item in both experiments, as means where it ran several times."""

    item_id: str
    metric: str
    first: Number
    second: Number
    first_trace_id: str
    second_trace_id: str


class ExperimentComparison(Wire):
    """How the second experiment differs from the first; single items are in the order of how much they lost."""

    first: ExperimentSummary
    second: ExperimentSummary
    paired_items: int
    confidence: float
    control: Control
    metrics: tuple[MetricComparison, ...]
    items: tuple[ItemDifference, ...] = ()

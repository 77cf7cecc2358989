"""Values with what is missing among them, and figures that say on how many values they stand."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from heliograph.domain.evaluators import OutcomeStatus
from heliograph.domain.statistics import NAN, Counts

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moments:
    """What a mean and its interval need of many values; the deviation is that of a sample (n - 1)."""

    n: int
    mean: float = NAN
    deviation: float = NAN

    def __add__(self, other: "Moments") -> "Moments":
        """Those of both groups together.

        Source: Chan, Golub, LeVeque, The American Statistician 37 (1983).
        """
        if not (self.n and other.n):
            return self if self.n else other
        n, step = self.n + other.n, other.mean - self.mean
        squares = sum((each.n - 1) * each.deviation**2 for each in (self, other) if each.n > 1)
        squares += step**2 * self.n * other.n / n
        return Moments(n, self.mean + step * other.n / n, float(np.sqrt(squares / (n - 1))))


@dataclass(frozen=True, slots=True)
class Sample:
    """The scores of one evaluator version over targets, in their order; NaN where a target has none."""

    values: Numbers
    failed: int = 0
    skipped: int = 0
    evaluator_version: str = ""

    @classmethod
    def of(cls, outcomes: pa.Table, *, evaluator_version: str = "") -> "Sample":
        """Of a table of OUTCOMES; a boolean counts as 1 or 0."""
        status = outcomes.column("status").to_pylist()
        values = np.asarray(outcomes.column("value").to_numpy(), dtype=np.float64)
        failed, skipped = status.count(str(OutcomeStatus.FAILED)), status.count(str(OutcomeStatus.SKIPPED))
        return cls(values, failed, skipped, evaluator_version)

    @classmethod
    def from_values(cls, values: Iterable[float | None]) -> "Sample":
        """Of plain numbers; None and NaN are skipped."""
        numbers = np.array([NAN if value is None else float(value) for value in values], dtype=np.float64)
        return cls(numbers, skipped=int(np.isnan(numbers).sum()))

    @property
    def present(self) -> Numbers:
        return self.values[~np.isnan(self.values)]

    @property
    def counts(self) -> Counts:
        return Counts(len(self.present), self.failed, self.skipped)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two numbers for each target that has both."""

    first: Numbers
    second: Numbers
    counts: Counts

    @classmethod
    def of(cls, first: Sample | Iterable[float | None], second: Sample | Iterable[float | None]) -> "Pairs":
        """Of two samples over the same targets; a target counts once, as failed rather than as skipped.

        Raises:
            ValueError: they are of different lengths.
        """
        one, other = (given if isinstance(given, Sample) else Sample.from_values(given) for given in (first, second))
        if len(one.values) != len(other.values):
            raise ValueError(f"{len(one.values)} values beside {len(other.values)}")
        both = ~(np.isnan(one.values) | np.isnan(other.values))
        missing = int((~both).sum())
        # Which target failed in both samples is not known here, so this is the upper bound that fits.
        failed = min(missing, one.failed + other.failed)
        return cls(one.values[both], other.values[both], Counts(int(both.sum()), failed, missing - failed))


@dataclass(frozen=True, slots=True)
class LabelPairs:
    """Two labels for each target that has both; `categories` is in the order that weights count in."""

    first: tuple[Hashable, ...]
    second: tuple[Hashable, ...]
    categories: tuple[Hashable, ...]
    counts: Counts

    @classmethod
    def of(
        cls, first: Iterable[Any], second: Iterable[Any], *, categories: Sequence[Hashable] = (), failed: int = 0
    ) -> "LabelPairs":
        """Of two labels for each target, None where one is missing, of which so many by a failure.

        Raises:
            ValueError: they are of different lengths, or a label is none of the categories that were given.
        """
        rows = list(zip(first, second, strict=True))
        kept = [(one, other) for one, other in rows if one is not None and other is not None]
        found = {label for pair in kept for label in pair}
        if categories and found - set(categories):
            raise ValueError(f"not among the categories: {sorted(map(str, found - set(categories)))}")
        ordered = tuple(categories) or tuple(sorted(found, key=lambda label: (str(type(label)), label)))
        counts = Counts(len(kept), failed, len(rows) - len(kept) - failed)
        return cls(tuple(one for one, _ in kept), tuple(other for _, other in kept), ordered, counts)

"""Is one better than the other: tests of paired scores, control of many tests, and what could be found at all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_of_table
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from evals.statistics.intervals import paired_difference
from evals.statistics.samples import Pairs, Sample
from heliograph.domain.comparisons import Control, OnVersionChange
from heliograph.domain.errors import HeliographError
from heliograph.domain.statistics import NAN, Counts, Estimate

# Below so many discordant pairs chi-square's approximation is not trusted (Agresti, Categorical Data Analysis, 10.1).
_FEW_DISCORDANT = 25


class EvaluatorVersionsDiffer(HeliographError):
    """The scores were given by two versions of the evaluator, {first} and {second}: judge both with one, or mark it."""

    fields = ("first", "second")
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class SignificanceTest:
    """A test's statistic and its two-sided p-value: 1 where nothing differs."""

    name: str
    statistic: float
    p_value: float
    counts: Counts


@dataclass(frozen=True, slots=True)
class WinTieLoss:
    """On how many targets the second is better than, equal to, or worse than the first."""

    wins: int
    ties: int
    losses: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Comparison:
    """The second sample against the first, over the targets that both have."""

    difference: Estimate
    test: SignificanceTest
    win_tie_loss: WinTieLoss
    # The smallest true difference that so many targets show in four of five tries.
    minimal_detectable_effect: float
    is_across_versions: bool


def mcnemar(pairs: Pairs) -> SignificanceTest:
    """McNemar's test of paired ones and zeros: exact for few discordant pairs, else chi-square without correction.

    Source: McNemar, Psychometrika 12 (1947).
    """
    first, second = pairs.first != 0, pairs.second != 0
    gained, lost = int((~first & second).sum()), int((first & ~second).sum())
    if gained + lost == 0:
        return SignificanceTest("McNemar", 0.0, 1.0, pairs.counts)
    is_exact = gained + lost < _FEW_DISCORDANT
    found = mcnemar_of_table([[0, gained], [lost, 0]], exact=is_exact, correction=False)
    name = "McNemar, exact" if is_exact else "McNemar"
    return SignificanceTest(name, float(found.statistic), float(found.pvalue), pairs.counts)


def wilcoxon(pairs: Pairs) -> SignificanceTest:
    """Wilcoxon's signed-rank test of paired numbers; pairs without a difference do not count.

    Source: Wilcoxon, Biometrics Bulletin 1 (1945).
    """
    differences = pairs.second - pairs.first
    if not np.any(differences):
        return SignificanceTest("Wilcoxon", 0.0, 1.0, pairs.counts)
    found = stats.wilcoxon(differences, zero_method="wilcox")
    return SignificanceTest("Wilcoxon", float(found.statistic), float(found.pvalue), pairs.counts)


def adjusted(p_values: Sequence[float], *, control: Control = "holm") -> list[float]:
    """P-values for many tests at once, in their order; NaN stays, and does not count as a test.

    Holm's bound the chance of any false alarm, Benjamini and Hochberg's the expected share of false ones among the
    alarms.

    Source: Holm, Scandinavian Journal of Statistics 6 (1979); Benjamini and Hochberg, Journal of the Royal Statistical
    Society B 57 (1995).
    """
    given = np.asarray(p_values, dtype=np.float64)
    known = ~np.isnan(given)
    if known.any():
        method = {"holm": "holm", "benjamini-hochberg": "fdr_bh"}[control]
        given[known] = multipletests(given[known], method=method)[1]
    return [float(value) for value in given]


def minimal_detectable_effect(
    deviation: float, n: int, *, significance: float = 0.05, power: float = 0.8
) -> float:  # fmt: skip
    """The smallest true mean difference that a paired two-sided t-test finds with that power, in the scores' unit.

    Args:
        deviation: Standard deviation of the paired differences.
        n: Targets with both scores.
        significance: The test's level.
        power: The chance of finding the difference.

    Source: Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd edition (1988), chapter 2.
    """
    if n < 2 or np.isnan(deviation):
        return NAN
    return deviation * float(TTestPower().solve_power(nobs=n, alpha=significance, power=power))


def targets_needed(effect: float, deviation: float, *, significance: float = 0.05, power: float = 0.8) -> int:
    """How many paired targets show a mean difference with that power; the inverse of the above.

    Raises:
        ValueError: effect or deviation is not positive.
    """
    if effect <= 0 or deviation <= 0:
        raise ValueError("effect and deviation must be positive")
    return int(np.ceil(TTestPower().solve_power(effect_size=effect / deviation, alpha=significance, power=power)))


def win_tie_loss(pairs: Pairs, *, tolerance: float = 0.0) -> WinTieLoss:
    """Counts of targets; scores no further apart than the tolerance tie."""
    differences = pairs.second - pairs.first
    wins, losses = int((differences > tolerance).sum()), int((differences < -tolerance).sum())
    return WinTieLoss(wins, pairs.counts.n - wins - losses, losses, pairs.counts)


def compare(
    first: Sample,
    second: Sample,
    *,
    confidence: float = 0.95,
    on_version_change: OnVersionChange = "refuse",
    seed: int = 0,
) -> Comparison:
    """How the second sample differs from the first, over the same targets in the same order.

    Ones and zeros are tested with McNemar's test, other numbers with Wilcoxon's.

    Raises:
        EvaluatorVersionsDiffer: two versions gave the scores, and it was not asked to mark that.
        ValueError: the samples are of different lengths.
    """
    is_across = first.evaluator_version != second.evaluator_version
    if is_across and on_version_change == "refuse":
        raise EvaluatorVersionsDiffer(first.evaluator_version, second.evaluator_version)
    pairs = Pairs.of(first, second)
    are_booleans = bool(np.isin(np.concatenate([pairs.first, pairs.second]), (0.0, 1.0)).all())
    deviation = float(np.std(pairs.second - pairs.first, ddof=1)) if pairs.counts.n > 1 else NAN
    return Comparison(
        paired_difference(pairs, confidence=confidence, seed=seed),
        mcnemar(pairs) if are_booleans else wilcoxon(pairs),
        win_tie_loss(pairs),
        minimal_detectable_effect(deviation, pairs.counts.n),
        is_across,
    )

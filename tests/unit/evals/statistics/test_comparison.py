"""Tests of differences against published examples and the formulas."""

import numpy as np
import pytest
from scipy import stats

from evals.statistics.comparison import (
    EvaluatorVersionsDiffer,
    adjusted,
    compare,
    mcnemar,
    minimal_detectable_effect,
    targets_needed,
    wilcoxon,
    win_tie_loss,
)
from evals.statistics.samples import Pairs, Sample
from heliograph.domain.statistics import Counts

# Benjamini and Hochberg (1995), section 3.2: fifteen tests of treatments after infarction.
P_VALUES = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip


def booleans(both: int, lost: int, gained: int, neither: int) -> Pairs:
    first = [1] * (both + lost) + [0] * (gained + neither)
    second = [1] * both + [0] * lost + [1] * gained + [0] * neither
    return Pairs.of(first, second)


def test_mcnemar_of_two_surveys() -> None:
    # Agresti, Categorical Data Analysis, 10.1: the prime minister's ratings; z^2 = (86-150)^2 / (86+150) = 17.36.
    found = mcnemar(booleans(794, 150, 86, 570))
    assert found.statistic == pytest.approx(64**2 / 236, abs=1e-9)
    assert found.p_value == pytest.approx(stats.chi2.sf(64**2 / 236, 1), abs=1e-9)


def test_mcnemar_of_few_pairs_is_the_binomial_test() -> None:
    found = mcnemar(booleans(10, 2, 9, 10))
    assert found.p_value == pytest.approx(stats.binomtest(2, 11).pvalue, abs=1e-9)
    assert mcnemar(booleans(10, 0, 0, 10)).p_value == 1


def test_wilcoxon_of_cross_and_self_fertilized_corn() -> None:
    # Darwin's plants, in Cramér's and scipy's textbook form: T = 24, p = 0.0413.
    differences = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]
    found = wilcoxon(Pairs.of([0] * 15, differences))
    assert (found.statistic, found.p_value) == pytest.approx((24, 0.041259765625), abs=1e-9)
    assert wilcoxon(Pairs.of([1, 2], [1, 2])).p_value == 1


def test_holm_and_benjamini_hochberg_of_the_published_example() -> None:
    assert sum(p < 0.05 for p in adjusted(P_VALUES)) == 3
    assert sum(p <= 0.05 for p in adjusted(P_VALUES, control="benjamini-hochberg")) == 4


def test_adjustments_are_the_formulas_and_leave_what_is_unknown() -> None:
    holm = np.minimum(1, np.maximum.accumulate([p * (15 - place) for place, p in enumerate(P_VALUES)]))
    assert adjusted(P_VALUES) == pytest.approx(holm, abs=1e-12)
    steps = [p * 15 / (place + 1) for place, p in enumerate(P_VALUES)]
    bh = np.minimum(1, np.minimum.accumulate(steps[::-1])[::-1])
    assert adjusted(P_VALUES, control="benjamini-hochberg") == pytest.approx(bh, abs=1e-12)
    with_gap = adjusted([0.01, float("nan"), 0.04])
    assert (with_gap[0], with_gap[2]) == pytest.approx((0.02, 0.04))
    assert np.isnan(with_gap[1])


def test_needed_targets_of_a_medium_effect() -> None:
    # G*Power's manual value for a paired, two-sided t-test, d = 0.5, 0.05, 0.8: 34.
    assert targets_needed(0.5, 1.0) == 34
    assert minimal_detectable_effect(1.0, 34) == pytest.approx(0.4950, abs=1e-3)


def test_the_minimal_effect_is_found_in_four_of_five_simulated_runs() -> None:
    draw = np.random.default_rng(5)
    effect = minimal_detectable_effect(2.0, 50)
    samples = draw.normal(effect, 2.0, size=(4_000, 50))
    p_values = stats.ttest_1samp(samples, 0, axis=1).pvalue
    assert np.mean(p_values < 0.05) == pytest.approx(0.8, abs=0.03)


def test_wins_ties_and_losses_count_targets() -> None:
    found = win_tie_loss(Pairs.of([1, 1, 1, None], [2, 1.05, 0, 3]), tolerance=0.1)
    assert (found.wins, found.ties, found.losses, found.counts) == (1, 1, 1, Counts(3, skipped=1))


def test_scores_of_two_evaluator_versions_are_refused_or_marked() -> None:
    first = Sample(np.array([0.0, 1.0, 1.0]), evaluator_version="a")
    second = Sample(np.array([1.0, 1.0, np.nan]), failed=1, evaluator_version="b")
    with pytest.raises(EvaluatorVersionsDiffer):
        compare(first, second)
    marked = compare(first, second, on_version_change="mark")
    assert marked.is_across_versions
    assert marked.difference.counts == Counts(2, failed=1)
    assert marked.test.name == "McNemar, exact"


def test_numbers_are_compared_by_ranks() -> None:
    draw = np.random.default_rng(2)
    first = draw.normal(size=80)
    found = compare(Sample(first), Sample(first + draw.normal(0.4, 0.5, size=80)))
    assert found.test.name == "Wilcoxon"
    assert found.test.p_value < 0.001
    assert found.difference.low > 0

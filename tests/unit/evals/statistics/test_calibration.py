"""Judges against people, and prevalence corrected by what is known of the judge."""

import numpy as np
import pytest

from evals.statistics.calibration import calibrated_boolean, calibrated_numeric, corrected_prevalence
from heliograph.domain.statistics import Counts


def labelled(hits: int, misses: int, rejections: int, alarms: int) -> tuple[list[bool | None], list[bool | None]]:
    human = [True] * (hits + misses) + [False] * (rejections + alarms)
    judge = [True] * hits + [False] * misses + [False] * rejections + [True] * alarms
    return list(human), list(judge)


def test_sensitivity_and_specificity_are_shares_of_peoples_labels() -> None:
    human, judge = labelled(90, 10, 160, 40)
    found = calibrated_boolean([*human, None, True], [*judge, True, None], failed=1)
    assert (found.sensitivity.value, found.specificity.value) == (0.9, 0.8)
    assert (found.sensitivity.counts.n, found.specificity.counts.n) == (100, 200)
    assert found.matrix.counts == Counts(300, failed=1, skipped=1)
    assert found.informedness == pytest.approx(0.7)


def test_prevalence_is_the_formula_of_rogan_and_gladen() -> None:
    calibration = calibrated_boolean(*labelled(90, 10, 160, 40))
    found = corrected_prevalence(400, Counts(1_000, failed=3), calibration)
    assert found.value == pytest.approx((0.4 + 0.8 - 1) / (0.9 + 0.8 - 1), abs=1e-9)
    assert found.low < found.value < found.high
    assert found.counts == Counts(1_000, failed=3)


def test_a_perfect_judge_needs_no_correction() -> None:
    found = corrected_prevalence(300, Counts(1_000), calibrated_boolean(*labelled(1_000, 0, 1_000, 0)))
    assert found.value == pytest.approx(0.3)


def test_a_judge_that_guesses_says_nothing_of_the_prevalence() -> None:
    found = corrected_prevalence(300, Counts(1_000), calibrated_boolean(*labelled(50, 50, 50, 50)))
    assert np.isnan(found.value)
    assert (found.low, found.high) == (0, 1)


def test_estimates_stay_within_zero_and_one() -> None:
    calibration = calibrated_boolean(*labelled(90, 10, 80, 20))
    assert corrected_prevalence(10, Counts(1_000), calibration).value == 0
    assert corrected_prevalence(1_000, Counts(1_000), calibration).value == 1


@pytest.mark.parametrize("prevalence", [0.05, 0.3, 0.8])
def test_corrected_intervals_cover_at_about_the_nominal_rate(prevalence: float) -> None:
    draw = np.random.default_rng(11)
    covered = 0
    for _ in range(250):
        hits, rejections = draw.binomial(60, 0.85), draw.binomial(60, 0.9)
        positives = draw.binomial(400, prevalence * 0.85 + (1 - prevalence) * 0.1)
        calibration = calibrated_boolean(*labelled(hits, 60 - hits, rejections, 60 - rejections))
        found = corrected_prevalence(positives, Counts(400), calibration)
        covered += found.low <= prevalence <= found.high
    assert 0.915 <= covered / 250 <= 1


def test_numbers_are_calibrated_by_distance_bias_and_rank() -> None:
    found = calibrated_numeric([1, 2, 3, 4, None], [2, 3, 4, 5, 5])
    assert (found.mean_absolute_error.value, found.bias.value) == (1, 1)
    assert found.pearson.value == pytest.approx(1)
    assert found.spearman.counts == Counts(4, skipped=1)

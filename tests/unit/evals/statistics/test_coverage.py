"""Intervals hold the truth as often as they say, in samples drawn from it."""

import numpy as np
import pytest

from evals.statistics.calibration import calibrated_boolean, corrected_prevalence, prediction_powered_mean
from evals.statistics.intervals import bootstrap, paired_difference, student, wilson
from evals.statistics.samples import Moments, Pairs, Sample
from heliograph.domain.statistics import Counts, Estimate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TRIES = 1_000
# Three standard errors of a share of 95% in so many tries.
TOLERANCE = 3 * (0.95 * 0.05 / TRIES) ** 0.5


def holds(estimate: Estimate, truth: float) -> bool:
    return estimate.low <= truth <= estimate.high


def share(held: list[bool]) -> float:
    return sum(held) / len(held)


def moments(values: np.ndarray) -> Moments:
    return Moments(len(values), float(values.mean()), float(values.std(ddof=1)))


@pytest.mark.parametrize("method", ["BCa", "percentile"])
def test_bootstrap_intervals_of_a_mean_cover_at_the_nominal_rate(method: str) -> None:
    rng = np.random.default_rng(1)
    held = [
        holds(bootstrap(Sample(rng.normal(3, 1, 80)), method=method, resamples=999, seed=at), 3)  # type: ignore[arg-type]
        for at in range(TRIES)
    ]
    # The bootstrap of 80 values is a little short of the nominal rate: by about 1/n (Efron, Tibshirani, chapter 14).
    assert share(held) == pytest.approx(0.95, abs=TOLERANCE + 0.0125)


def test_intervals_of_paired_differences_cover_at_the_nominal_rate() -> None:
    rng = np.random.default_rng(2)
    held = []
    for at in range(TRIES // 2):
        difficulty = rng.exponential(2, 120)
        first, second = difficulty + rng.normal(0, 0.3, 120), difficulty + 0.2 + rng.normal(0, 0.3, 120)
        held.append(holds(paired_difference(Pairs.of(first, second), seed=at), 0.2))
    assert share(held) == pytest.approx(0.95, abs=3 * (0.95 * 0.05 / len(held)) ** 0.5 + 0.0125)


def test_intervals_of_means_and_shares_cover_at_the_nominal_rate() -> None:
    rng = np.random.default_rng(3)
    means = [holds(student(moments(rng.normal(0, 2, 12))), 0) for _ in range(TRIES)]
    shares = [holds(wilson(int(rng.binomial(60, 0.2)), Counts(60)), 0.2) for _ in range(TRIES)]
    assert share(means) == pytest.approx(0.95, abs=TOLERANCE)
    # A share of 60 is discrete: its coverage swings by a percent or two around the nominal one.
    assert share(shares) == pytest.approx(0.95, abs=TOLERANCE + 0.02)


def test_a_prevalence_corrected_for_a_judges_errors_covers_the_true_one() -> None:
    rng = np.random.default_rng(4)
    held = []
    for _ in range(TRIES):
        human = rng.random(200) < 0.4
        judge = np.where(human, rng.random(200) < 0.85, rng.random(200) < 0.1)
        calibration = calibrated_boolean(human.tolist(), judge.tolist())
        truth = rng.random(2_000) < 0.3
        says = np.where(truth, rng.random(2_000) < 0.85, rng.random(2_000) < 0.1)
        held.append(holds(corrected_prevalence(int(says.sum()), Counts(2_000), calibration), 0.3))
    # Lang and Reiczigel's interval is made to hold at least as often as it says.
    assert share(held) >= 0.95 - TOLERANCE


def test_a_prediction_powered_mean_covers_the_true_one_of_a_bad_judge() -> None:
    rng = np.random.default_rng(5)
    held = []
    for _ in range(TRIES):
        truth = rng.normal(3, 1, 1_300)
        judge = 0.5 * truth + 2.5 + rng.normal(0, 0.5, 1_300)
        found = prediction_powered_mean(moments(judge[300:]), moments(truth[:300] - judge[:300]))
        held.append(holds(found, 3))
    assert share(held) == pytest.approx(0.95, abs=TOLERANCE)

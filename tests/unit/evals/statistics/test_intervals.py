"""Intervals against published tables, and how often they cover what they should."""

import numpy as np
import pyarrow as pa
import pytest

from evals.statistics.intervals import bootstrap, paired_difference, pass_rate, wilson
from evals.statistics.samples import Pairs, Sample
from heliograph.domain.evaluators import OUTCOMES
from heliograph.domain.statistics import Counts


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_of_the_published_table(successes: int, n: int, low: float, high: float) -> None:
    found = wilson(successes, Counts(n))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_wilson_is_the_formula() -> None:
    z, n, share = 1.959963984540054, 263, 81 / 263
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    found = wilson(81, Counts(n))
    assert (found.low, found.high) == pytest.approx((middle - half, middle + half), abs=1e-9)


def test_an_aggregate_says_how_many_failed_and_were_skipped() -> None:
    rows = [
        {"status": "scored", "value": 1.0, "label": "True", "reason": ""},
        {"status": "scored", "value": 0.0, "label": "False", "reason": ""},
        {"status": "failed", "reason": "broken"},
        {"status": "skipped", "reason": "nothing there"},
        {"status": "skipped", "reason": "nothing there"},
    ]
    found = pass_rate(Sample.of(pa.Table.from_pylist(rows, OUTCOMES)))
    assert (found.value, found.counts) == (0.5, Counts(2, failed=1, skipped=2))


def test_no_values_give_no_figure() -> None:
    assert np.isnan(bootstrap(Sample.from_values([])).value)
    assert np.isnan(wilson(0, Counts(0)).value)


def test_one_value_has_no_interval_and_constants_have_an_empty_one() -> None:
    assert np.isnan(bootstrap(Sample.from_values([1])).low)
    constant = bootstrap(Sample.from_values([0.5] * 10))
    assert (constant.low, constant.high) == (0.5, 0.5)


def test_a_bootstrap_interval_is_the_same_every_time() -> None:
    sample = Sample.from_values(np.random.default_rng(0).normal(size=100))
    assert bootstrap(sample, resamples=999) == bootstrap(sample, resamples=999)


def test_large_samples_say_that_they_take_percentiles() -> None:
    sample = Sample.from_values(np.random.default_rng(0).normal(size=20_000))
    assert bootstrap(sample, resamples=199).method == "percentile"


@pytest.mark.parametrize("method", ["BCa", "percentile"])
def test_bootstrap_intervals_cover_at_about_the_nominal_rate(method: str) -> None:
    """Of 300 samples of 60 skewed values. The error of the rate itself is 1.3 points; BCa's theory promises O(1/n)."""
    draw = np.random.default_rng(7)
    covered = 0
    for trial in range(300):
        values = draw.gamma(2.0, size=60)
        found = bootstrap(Sample(values), method=method, resamples=499, seed=trial)  # type: ignore[arg-type]
        covered += found.low <= 2.0 <= found.high
    assert 0.91 <= covered / 300 <= 0.975


def test_pairing_takes_the_difficulty_of_targets_out() -> None:
    draw = np.random.default_rng(3)
    difficulty = draw.normal(scale=10, size=200)
    pairs = Pairs.of(list(difficulty), list(difficulty + draw.normal(loc=0.5, size=200)))
    found = paired_difference(pairs)
    assert 0 < found.low < found.value < found.high < 1
    assert found.value == pytest.approx(np.mean(pairs.second - pairs.first), abs=1e-12)

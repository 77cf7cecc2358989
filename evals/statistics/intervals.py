"""Confidence intervals of shares, means and paired differences."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy import stats

from evals.statistics.samples import Moments, Numbers, Pairs, Sample
from heliograph.domain.statistics import NAN, Counts, Estimate

Method = Literal["BCa", "percentile"]

RESAMPLES = 4_999
# The acceleration of BCa takes the statistic of every sample that lacks one value: quadratic work, for a correction
# that vanishes as the sample grows.
MAX_FOR_BCA = 2_000
# Bounds the memory of one step of the bootstrap to about 40 MB.
_VALUES_AT_A_TIME = 5_000_000


def wilson(successes: int, counts: Counts, *, confidence: float = 0.95) -> Estimate:
    """The share of successes with Wilson's score interval, which holds at the edges and for few targets.

    Source: Wilson, Journal of the American Statistical Association 22 (1927); recommended by Brown, Cai, DasGupta,
    Statistical Science 16 (2001).

    Raises:
        ValueError: there are more successes than values.
    """
    if counts.n == 0:
        return Estimate(NAN, counts, confidence=confidence, method="Wilson")
    interval = stats.binomtest(successes, counts.n).proportion_ci(confidence, method="wilson")
    return Estimate(successes / counts.n, counts, float(interval.low), float(interval.high), confidence, "Wilson")


def pass_rate(sample: Sample, *, confidence: float = 0.95) -> Estimate:
    """The share of ones in a sample of ones and zeros, with Wilson's interval."""
    return wilson(int((sample.present != 0).sum()), sample.counts, confidence=confidence)


def student(moments: Moments, *, failed: int = 0, skipped: int = 0, confidence: float = 0.95) -> Estimate:
    """A mean with Student's interval, from sums: for samples that nobody holds whole.

    Source: Student, Biometrika 6 (1908).
    """
    counts = Counts(moments.n, failed, skipped)
    if moments.n < 2:
        return Estimate(moments.mean, counts, confidence=confidence, method="Student")
    half = float(stats.t.ppf((1 + confidence) / 2, moments.n - 1)) * moments.deviation / float(np.sqrt(moments.n))
    return Estimate(moments.mean, counts, moments.mean - half, moments.mean + half, confidence, "Student")


def bootstrap(
    sample: Sample,
    statistic: Callable[..., Numbers] = np.mean,
    *,
    method: Method = "BCa",
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """A statistic of a sample with its bootstrap interval; the same seed gives the same interval.

    Args:
        sample: What is resampled: its present values, one for each target.
        statistic: Takes an array and `axis`, as numpy's mean, median and std do.
        method: Bias-corrected and accelerated, or plain percentiles; beyond MAX_FOR_BCA values always the latter.
        confidence: Nominal coverage.
        resamples: How many samples are drawn.
        seed: Of the random numbers.

    Source: Efron, Journal of the American Statistical Association 82 (1987).
    """
    values = sample.present
    if len(values) == 0:
        return Estimate(NAN, sample.counts, confidence=confidence, method=method)
    value = float(np.asarray(statistic(values, axis=0)))
    # Constants have no spread to estimate, and one value tells nothing of it.
    if len(values) == 1 or np.ptp(values) == 0:
        edge = (NAN, NAN) if len(values) == 1 else (value, value)
        return Estimate(value, sample.counts, *edge, confidence, method)
    used: Method = method if len(values) <= MAX_FOR_BCA else "percentile"
    found = stats.bootstrap(
        (values,), statistic, n_resamples=resamples, confidence_level=confidence, method=used,
        rng=np.random.default_rng(seed), batch=max(1, _VALUES_AT_A_TIME // len(values)),
    )  # fmt: skip
    low, high = float(found.confidence_interval.low), float(found.confidence_interval.high)
    if np.isnan(low) or np.isnan(high):  # BCa has no correction where all resamples agree
        return bootstrap(sample, statistic, method="percentile", confidence=confidence, resamples=resamples, seed=seed)
    return Estimate(value, sample.counts, low, high, confidence, used)


def paired_difference(pairs: Pairs, *, confidence: float = 0.95, seed: int = 0) -> Estimate:
    """The mean of second minus first over the same targets, with its bootstrap interval.

    Pairing takes the targets' own difficulty out of the comparison: the interval is that of the differences.
    """
    differences = pairs.second - pairs.first
    found = bootstrap(Sample(differences), confidence=confidence, seed=seed)
    return Estimate(found.value, pairs.counts, found.low, found.high, confidence, found.method)

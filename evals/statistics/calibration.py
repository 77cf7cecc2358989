"""How far a judge can be trusted, by people's labels, and what its verdicts say of all targets once that is known."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from evals.statistics.agreement import (
    ConfusionMatrix,
    confusion_matrix,
    kappa_of,
    mean_absolute_error,
    pearson,
    spearman,
)
from evals.statistics.intervals import paired_difference, wilson
from evals.statistics.samples import LabelPairs, Moments, Pairs
from heliograph.domain.statistics import NAN, Counts, Estimate


@dataclass(frozen=True, slots=True)
class BooleanCalibration:
    """A judge of true and false against people."""

    # How often the judge says true where people do, and false where people do.
    sensitivity: Estimate
    specificity: Estimate
    kappa: Estimate
    matrix: ConfusionMatrix

    @property
    def informedness(self) -> float:
        """Youden's J: 0 for a judge that does not see the difference, whose verdicts correct to nothing."""
        return self.sensitivity.value + self.specificity.value - 1


@dataclass(frozen=True, slots=True)
class NumericCalibration:
    """A judge's numbers against people's; `bias` is how much higher the judge's are on average."""

    mean_absolute_error: Estimate
    bias: Estimate
    pearson: Estimate
    spearman: Estimate


def calibrated_boolean(
    human: list[bool | None], judge: list[bool | None], *, failed: int = 0, confidence: float = 0.95
) -> BooleanCalibration:
    """What people's labels on a sample say of a judge; None where one of the two has none."""
    labels = LabelPairs.of(human, judge, categories=(False, True), failed=failed)
    return calibration_of(confusion_matrix(labels), confidence=confidence)


def calibration_of(matrix: ConfusionMatrix, *, confidence: float = 0.95) -> BooleanCalibration:
    """The same of people's labels, false and true, in the rows of a matrix and the judge's in its columns."""
    counts = matrix.counts
    (true_negative, false_positive), (false_negative, true_positive) = matrix.cells.tolist()
    positives = Counts(true_positive + false_negative, counts.failed, counts.skipped)
    negatives = Counts(true_negative + false_positive, counts.failed, counts.skipped)
    return BooleanCalibration(
        wilson(true_positive, positives, confidence=confidence),
        wilson(true_negative, negatives, confidence=confidence),
        kappa_of(matrix, confidence=confidence),
        matrix,
    )


def calibrated_numeric(human: list[float | None], judge: list[float | None]) -> NumericCalibration:
    """What people's numbers on a sample say of a judge's; None where one of the two has none."""
    pairs = Pairs.of(human, judge)
    return NumericCalibration(mean_absolute_error(pairs), paired_difference(pairs), pearson(pairs), spearman(pairs))


def corrected_prevalence(
    positives: int, counts: Counts, calibration: BooleanCalibration, *, confidence: float = 0.95
) -> Estimate:
    """The share of targets that people would call true, from how many of all the judge called so.

    The estimate is Rogan and Gladen's, (apparent + specificity - 1) / (sensitivity + specificity - 1), kept within 0
    and 1; the interval is Lang and Reiczigel's, which counts in how few targets people labelled. NaN, between 0 and 1,
    for a judge whose verdicts do not depend on the truth.

    Args:
        positives: How many targets the judge called true.
        counts: All targets that it judged.
        calibration: Against people, on a sample of their own.
        confidence: Nominal coverage.

    Source: Rogan and Gladen, American Journal of Epidemiology 107 (1978); Lang and Reiczigel, Preventive Veterinary
    Medicine 113 (2014).
    """
    method = "Rogan-Gladen, Lang-Reiczigel"
    sensitivity, specificity = calibration.sensitivity, calibration.specificity
    if not counts.n or not calibration.informedness > 0:
        return Estimate(NAN, counts, 0.0, 1.0, confidence, method)
    apparent = positives / counts.n
    value = (apparent + specificity.value - 1) / calibration.informedness
    z2 = float(stats.norm.ppf((1 + confidence) / 2)) ** 2
    share, n = (positives + z2 / 2) / (counts.n + z2), counts.n + z2
    hit, hits = _smoothed(sensitivity)
    rejection, rejections = _smoothed(specificity)
    informed = hit + rejection - 1
    if informed <= 0:
        return Estimate(float(np.clip(value, 0, 1)), counts, 0.0, 1.0, confidence, method)
    middle = (share + rejection - 1) / informed
    of_hits = hit * (1 - hit) / hits
    of_rejections = rejection * (1 - rejection) / rejections
    shift = 2 * z2 * (middle * of_hits - (1 - middle) * of_rejections)
    variance = share * (1 - share) / n + middle**2 * of_hits + (1 - middle) ** 2 * of_rejections
    half = np.sqrt(z2 * variance) / informed
    low, high = (float(np.clip(edge, 0, 1)) for edge in (middle + shift - half, middle + shift + half))
    return Estimate(float(np.clip(value, 0, 1)), counts, low, high, confidence, method)


def prediction_powered_mean(judged: Moments, labelled: Moments, *, confidence: float = 0.95) -> Estimate:
    """The mean that people would give to all targets, from a judge's verdicts and its errors where people labelled.

    The judge's mean on the targets without a label is corrected by its mean error on those with one; the interval
    counts in how few these are, and holds however bad the judge is.

    Args:
        judged: The judge's numbers on targets that people did not label.
        labelled: People's numbers minus the judge's on the targets that both gave one.
        confidence: Nominal coverage.

    Source: Angelopoulos, Bates, Fannjiang, Jordan, Zrnic, Science 382 (2023), for the mean.
    """
    counts = Counts(judged.n + labelled.n)
    if judged.n < 2 or labelled.n < 2:
        return Estimate(NAN, counts, confidence=confidence, method="prediction-powered")
    value = judged.mean + labelled.mean
    variance = judged.deviation**2 / judged.n + labelled.deviation**2 / labelled.n
    half = float(stats.norm.ppf((1 + confidence) / 2)) * float(np.sqrt(variance))
    return Estimate(value, counts, value - half, value + half, confidence, "prediction-powered")


def _smoothed(estimate: Estimate) -> tuple[float, int]:
    """A share after one more success and one more failure, and of how many."""
    n = estimate.counts.n
    return (n * estimate.value + 1) / (n + 2), n + 2

"""How far two or more raters agree: people, judges, or a judge and a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import krippendorff
import numpy as np
import numpy.typing as npt
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

from evals.statistics.samples import LabelPairs, Numbers, Pairs
from heliograph.domain.statistics import NAN, Counts, Estimate

Weights = Literal["none", "linear", "quadratic"]
Level = Literal["nominal", "ordinal", "interval", "ratio"]


@dataclass(frozen=True, slots=True)
class ConfusionMatrix:
    """How often the first rater said the row's category and the second the column's."""

    categories: tuple[object, ...]
    cells: npt.NDArray[np.int64]
    counts: Counts

    @property
    def accuracy(self) -> float:
        """The share of targets on which both say the same."""
        return _ratio(float(np.trace(self.cells)), float(self.cells.sum()))

    def precision(self, category: object) -> float:
        """Of what the second rater called so, the share that the first, whose labels are the truth, called so too."""
        place = self.categories.index(category)
        return _ratio(float(self.cells[place, place]), float(self.cells[:, place].sum()))

    def recall(self, category: object) -> float:
        """Of what the first rater called so, the share that the second found."""
        place = self.categories.index(category)
        return _ratio(float(self.cells[place, place]), float(self.cells[place, :].sum()))

    def f1(self, category: object) -> float:
        """The harmonic mean of precision and recall: 2TP / (2TP + FP + FN) (van Rijsbergen, 1979)."""
        place = self.categories.index(category)
        true = float(self.cells[place, place])
        return _ratio(2 * true, float(self.cells[place, :].sum() + self.cells[:, place].sum()))

    @property
    def macro_f1(self) -> float:
        """The plain mean of every category's F1; a category that nobody used has none and does not count."""
        values = [self.f1(category) for category in self.categories]
        known = [value for value in values if not np.isnan(value)]
        return float(np.mean(known)) if known else NAN


def confusion_matrix(labels: LabelPairs) -> ConfusionMatrix:
    """The matrix of two raters; the first one's labels are the truth where precision and recall are asked."""
    places = {category: place for place, category in enumerate(labels.categories)}
    cells = np.zeros((len(places), len(places)), dtype=np.int64)
    rows = [places[label] for label in labels.first]
    np.add.at(cells, (rows, [places[label] for label in labels.second]), 1)
    return ConfusionMatrix(labels.categories, cells, labels.counts)


def cohen_kappa(labels: LabelPairs, *, weights: Weights = "none", confidence: float = 0.95) -> Estimate:
    """Cohen's kappa of two raters; see `kappa_of`."""
    return kappa_of(confusion_matrix(labels), weights=weights, confidence=confidence)


def kappa_of(matrix: ConfusionMatrix, *, weights: Weights = "none", confidence: float = 0.95) -> Estimate:
    """Cohen's kappa: agreement beyond chance, from -1 to 1, with its asymptotic interval.

    Weights let near misses count in part: 1 - |i-j|/(k-1), or its square's, for categories in an order. NaN when both
    raters use one category throughout, since chance explains that wholly.

    Source: Cohen, Educational and Psychological Measurement 20 (1960); weighted: Psychological Bulletin 70 (1968);
    errors: Fleiss, Cohen, Everitt, Psychological Bulletin 72 (1969).
    """
    cells, counts = matrix.cells, matrix.counts
    # Categories that nobody used move no weight but would divide by nothing.
    if (cells.sum(axis=0) + cells.sum(axis=1) > 0).sum() < 2:
        return Estimate(NAN, counts, confidence=confidence, method="asymptotic")
    with np.errstate(invalid="ignore"):  # its test of no agreement divides by nothing where one rater never varies
        found = cohens_kappa(cells, wt=None if weights == "none" else weights)
    half = float(stats.norm.ppf((1 + confidence) / 2)) * float(found.std_kappa)
    value = float(found.kappa)
    return Estimate(value, counts, value - half, min(1.0, value + half), confidence, "asymptotic")


def krippendorff_alpha(ratings: Sequence[Iterable[float | None]], *, level: Level = "nominal") -> Estimate:
    """Krippendorff's alpha of any number of raters, of whom each may have missed targets.

    Args:
        ratings: For each rater a number for each target, None where there is none. Categories are numbered by the
        caller.
        level: How far apart two values are: by name, rank, difference or ratio.

    Returns:
        1 is perfect agreement, 0 what chance gives. `n` counts the targets with at least two ratings, the others are
        skipped. NaN when no two ratings differ at all.

    Source: Krippendorff, Content Analysis, 4th edition (2018), chapter 12.
    """
    matrix = np.array([[NAN if value is None else float(value) for value in row] for row in ratings], dtype=np.float64)
    rated = (~np.isnan(matrix)).sum(axis=0)
    counts = Counts(int((rated >= 2).sum()), skipped=int((rated < 2).sum()))
    usable = matrix[:, rated >= 2]
    if usable.size == 0 or len(np.unique(usable[~np.isnan(usable)])) < 2:
        return Estimate(NAN, counts)
    return Estimate(float(krippendorff.alpha(reliability_data=usable, level_of_measurement=level)), counts)


def pearson(pairs: Pairs, *, confidence: float = 0.95) -> Estimate:
    """Pearson's correlation with the interval of Fisher's transformation; NaN of constants and below three pairs."""
    if pairs.counts.n < 3 or _is_constant(pairs):
        return Estimate(NAN, pairs.counts, confidence=confidence)
    return pearson_of(float(stats.pearsonr(pairs.first, pairs.second).statistic), pairs.counts, confidence=confidence)


def pearson_of(value: float, counts: Counts, *, confidence: float = 0.95) -> Estimate:
    """Pearson's correlation that was computed elsewhere, with the interval of Fisher's transformation.

    Source: Fisher, Metron 1 (1921).
    """
    if counts.n < 4 or np.isnan(value):
        return Estimate(value, counts, confidence=confidence)
    return _transformed(value, counts, 1 / (counts.n - 3), confidence=confidence, method="Fisher")


def spearman(pairs: Pairs, *, confidence: float = 0.95) -> Estimate:
    """Spearman's rank correlation, ties sharing their mean rank, with the interval of Bonett and Wright.

    Source: Spearman, American Journal of Psychology 15 (1904).
    """
    if pairs.counts.n < 3 or _is_constant(pairs):
        return Estimate(NAN, pairs.counts, confidence=confidence)
    value = float(stats.spearmanr(pairs.first, pairs.second).statistic)
    return spearman_of(value, pairs.counts, confidence=confidence)


def spearman_of(value: float, counts: Counts, *, confidence: float = 0.95) -> Estimate:
    """Spearman's correlation that was computed elsewhere, with the interval of Bonett and Wright.

    Source: Bonett and Wright, Psychometrika 65 (2000).
    """
    if counts.n < 4 or np.isnan(value):
        return Estimate(value, counts, confidence=confidence)
    variance = (1 + value**2 / 2) / (counts.n - 3)
    return _transformed(value, counts, variance, confidence=confidence, method="Bonett-Wright")


def _transformed(value: float, counts: Counts, variance: float, *, confidence: float, method: str) -> Estimate:
    """A correlation with an interval that is symmetric on the scale of the inverse hyperbolic tangent."""
    half = float(stats.norm.ppf((1 + confidence) / 2)) * float(np.sqrt(variance))
    middle = np.arctanh(np.clip(value, -1 + 1e-15, 1 - 1e-15))
    return Estimate(value, counts, float(np.tanh(middle - half)), float(np.tanh(middle + half)), confidence, method)


def mean_absolute_error(pairs: Pairs) -> Estimate:
    """The mean distance of two raters' numbers, in their own unit."""
    value = float(np.abs(pairs.first - pairs.second).mean()) if pairs.counts.n else NAN
    return Estimate(value, pairs.counts)


def _is_constant(pairs: Pairs) -> bool:
    def is_constant(values: Numbers) -> bool:
        return bool(np.ptp(values) == 0)

    return is_constant(pairs.first) or is_constant(pairs.second)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else NAN

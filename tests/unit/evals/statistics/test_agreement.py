"""Agreement against published examples and against the formulas written out."""

import numpy as np
import pytest

from evals.statistics.agreement import (
    cohen_kappa,
    confusion_matrix,
    krippendorff_alpha,
    mean_absolute_error,
    pearson,
    spearman,
)
from evals.statistics.samples import LabelPairs, Pairs
from heliograph.domain.statistics import Counts

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), example D: four observers, twelve units.
OBSERVERS: list[list[float | None]] = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def labels(cells: list[list[int]]) -> LabelPairs:
    first = [row for row, counts in enumerate(cells) for count in counts for _ in range(count)]
    second = [column for counts in cells for column, count in enumerate(counts) for _ in range(count)]
    return LabelPairs.of(first, second, categories=range(len(cells)))


def weighted_kappa(cells: list[list[int]], power: int) -> float:
    """Cohen's formula (1968), written out."""
    table = np.array(cells, dtype=float)
    table /= table.sum()
    expected = np.outer(table.sum(1), table.sum(0))
    rows, columns = np.indices(table.shape)
    disagreement = np.abs(rows - columns) ** power
    return float(1 - (disagreement * table).sum() / (disagreement * expected).sum())


def test_kappa_of_fifty_grant_proposals() -> None:
    # The example of the English Wikipedia's article: 0.7 observed, 0.5 by chance.
    found = cohen_kappa(labels([[20, 5], [10, 15]]))
    assert found.value == pytest.approx(0.4, abs=1e-9)
    assert found.low < 0.4 < found.high
    assert found.counts == Counts(50)


CELLS = [[44, 5, 1], [7, 20, 3], [9, 5, 6]]


@pytest.mark.parametrize(("weights", "power"), [("linear", 1), ("quadratic", 2)])
def test_weighted_kappa_is_the_formula(weights: str, power: int) -> None:
    found = cohen_kappa(labels(CELLS), weights=weights)  # type: ignore[arg-type]
    assert found.value == pytest.approx(weighted_kappa(CELLS, power), abs=1e-9)


def test_weights_do_not_matter_between_two_categories() -> None:
    two = labels([[20, 5], [10, 15]])
    assert cohen_kappa(two, weights="quadratic").value == pytest.approx(cohen_kappa(two).value, abs=1e-9)


def test_kappa_of_raters_who_never_differ_in_one_category_is_undefined() -> None:
    found = cohen_kappa(LabelPairs.of(["yes"] * 5, ["yes"] * 5))
    assert np.isnan(found.value)
    assert found.counts.n == 5


@pytest.mark.parametrize(
    ("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_of_the_published_example(level: str, alpha: float) -> None:
    found = krippendorff_alpha(OBSERVERS, level=level)  # type: ignore[arg-type]
    assert found.value == pytest.approx(alpha, abs=5e-4)
    assert found.counts == Counts(11, skipped=1)


def test_nominal_alpha_is_the_formula() -> None:
    # Coincidences of a reliability matrix of two raters without gaps: o_ck, n_c; alpha = 1 - (n-1) * sum o / sum n n.
    first, second = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    found = krippendorff_alpha([first, second])
    assert found.value == pytest.approx(1 - 19 * 8 / (2 * 14 * 6), abs=1e-9)  # Krippendorff (2011), example A: 0.095


def test_alpha_without_variation_is_undefined() -> None:
    assert np.isnan(krippendorff_alpha([[1, 1], [1, 1]]).value)
    assert np.isnan(krippendorff_alpha([[None], [1]]).value)


def test_confusion_matrix_counts_the_truth_in_rows() -> None:
    matrix = confusion_matrix(LabelPairs.of(["a", "a", "b", None, "b"], ["a", "b", "b", "a", None], failed=1))
    assert matrix.cells.tolist() == [[1, 1], [0, 1]]
    assert matrix.counts == Counts(3, failed=1, skipped=1)
    assert matrix.accuracy == pytest.approx(2 / 3)
    assert (matrix.precision("b"), matrix.recall("b"), matrix.precision("a"), matrix.recall("a")) == (0.5, 1, 1, 0.5)
    assert matrix.f1("b") == pytest.approx(2 / 3)
    assert matrix.macro_f1 == pytest.approx(2 / 3)


def test_a_label_outside_of_the_categories_is_an_error() -> None:
    with pytest.raises(ValueError, match="categories"):
        LabelPairs.of(["a"], ["c"], categories=("a", "b"))


def test_correlations_are_the_formulas() -> None:
    draw = np.random.default_rng(1)
    first = draw.normal(size=50)
    second = 0.5 * first + draw.normal(size=50)
    pairs = Pairs.of(list(first), list(second))
    assert pearson(pairs).value == pytest.approx(np.corrcoef(first, second)[0, 1], abs=1e-9)
    ranks = [np.argsort(np.argsort(values)) for values in (first, second)]
    assert spearman(pairs).value == pytest.approx(np.corrcoef(ranks[0], ranks[1])[0, 1], abs=1e-9)
    assert mean_absolute_error(pairs).value == pytest.approx(np.mean(np.abs(first - second)), abs=1e-9)
    r = pearson(pairs)
    assert np.tanh(np.arctanh(r.value) - 1.959963984540054 / np.sqrt(47)) == pytest.approx(r.low, abs=1e-9)


def test_spearman_of_the_published_example() -> None:
    # English Wikipedia: IQ and hours of television of ten people: -29/165.
    iq = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110]
    hours = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17]
    assert spearman(Pairs.of(iq, hours)).value == pytest.approx(-29 / 165, abs=1e-9)


def test_correlation_of_constants_is_undefined_and_missing_values_are_counted() -> None:
    assert np.isnan(pearson(Pairs.of([1, 1, 1, 1], [1, 2, 3, 4])).value)
    assert Pairs.of([1, None, 3], [1, 2, None]).counts == Counts(1, skipped=2)

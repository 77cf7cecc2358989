"""How far raters agree, from the sums that ClickHouse takes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from evals.statistics.agreement import ConfusionMatrix, kappa_of, pearson_of, spearman_of
from evals.statistics.intervals import student, wilson
from evals.statistics.samples import Moments
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.score_analytics import (
    MAX_CATEGORIES,
    Alphas,
    CategoryFigures,
    LabelAgreement,
    NumberAgreement,
    PairAgreement,
)
from heliograph.domain.statistics import NAN, Counts, Estimate

_TRUTH = ("False", "True")


class Ratings(NamedTuple):
    """The tables of `ScoreAgreements`, of single versions or of all of them together."""

    rated: pa.Table
    cells: pa.Table
    numbers: pa.Table


# How many evaluations of a rater, the first or the second, failed in a version.
Failed = Mapping[tuple[int, str], int]


def pairs(
    by_version: Ratings, together: Ratings, *, categories: Sequence[str] = (), failed: Failed | None = None
) -> tuple[PairAgreement, ...]:
    """Each version of the first rater with each of the second, and all together where there are several.

    A target that only one of the two rated is skipped, or failed as far as evaluations of the other have.
    """
    failures = failed or {}
    found = list(_pairs(by_version, categories, failures, mixes_versions=False))
    if len(found) > 1:
        found += _pairs(together, categories, failures, mixes_versions=True)
    return tuple(found)


def alphas(disagreement: pa.Table, *, targets: int, mixes_versions: bool, failed: int = 0) -> Alphas:
    """Krippendorff's alpha, 1 - observed / expected disagreement, from `ScoreAgreements.disagreement`.

    Args:
        disagreement: its one row.
        targets: how many targets any of the raters rated: what has one rating alone is skipped.
        mixes_versions: whether a rater's ratings are of several versions.
        failed: how many evaluations of the raters failed.

    Source: Krippendorff, Content Analysis, 4th edition (2018), chapter 12.
    """
    (row,) = plain_rows(disagreement)
    missing = max(0, targets - row["targets"])
    counts = Counts(row["targets"], min(missing, failed), missing - min(missing, failed))

    def alpha(level: str) -> Estimate:
        expected = row[f"{level}_expected"] if row["targets"] else NAN
        if not expected > 0 or (level != "nominal" and not row["all_numbers"]):
            return Estimate(NAN, counts)
        return Estimate(1 - row[f"{level}_observed"] / expected, counts)

    return Alphas(
        nominal=alpha("nominal"), ordinal=alpha("ordinal"), interval=alpha("interval"), mixes_versions=mixes_versions
    )


def matrix_of(rows: Sequence[Mapping[str, Any]], counts: Counts, categories: Sequence[str] = ()) -> ConfusionMatrix:
    """The matrix of rows with first_label, second_label and n."""
    used = {row[side] for row in rows for side in ("first_label", "second_label")}
    if used <= set(_TRUTH):
        used |= set(_TRUTH)
    ordered = [*categories, *_ordered(used - set(categories))]
    places = {label: place for place, label in enumerate(ordered)}
    cells = np.zeros((len(ordered), len(ordered)), dtype=np.int64)
    for row in rows:
        cells[places[row["first_label"]], places[row["second_label"]]] += row["n"]
    return ConfusionMatrix(tuple(ordered), cells, counts)


def _ordered(labels: set[str]) -> list[str]:
    """Numbers in their order, texts by the alphabet."""
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels)


def _pairs(
    ratings: Ratings, categories: Sequence[str], failed: Failed, *, mixes_versions: bool
) -> Iterator[PairAgreement]:
    rated = {(row["rater"], row["version"]): row["n"] for row in plain_rows(ratings.rated)}
    cells: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in plain_rows(ratings.cells):
        cells.setdefault((row["first_version"], row["second_version"]), []).append(row)
    numbers = {(row["first_version"], row["second_version"]): row for row in plain_rows(ratings.numbers)}
    for versions, rows in cells.items():
        first, second = versions
        n = sum(row["n"] for row in rows)
        missing = rated[1, first] + rated[2, second] - 2 * n
        broken = min(
            missing, sum(count for key, count in failed.items() if mixes_versions or key in {(1, first), (2, second)})
        )
        counts = Counts(n, broken, missing - broken)
        yield PairAgreement(
            first_version=first,
            second_version=second,
            mixes_versions=mixes_versions,
            counts=counts,
            labels=_labels(rows, counts, categories),
            numbers=_numbers(numbers[versions], counts) if versions in numbers else None,
        )


def _labels(rows: Sequence[Mapping[str, Any]], counts: Counts, categories: Sequence[str]) -> LabelAgreement | None:
    """None where there are too many different values for categories."""
    if len({row[side] for row in rows for side in ("first_label", "second_label")} | set(categories)) > MAX_CATEGORIES:
        return None
    matrix = matrix_of(rows, counts, categories)
    return LabelAgreement(
        categories=tuple(map(str, matrix.categories)),
        cells=tuple(tuple(int(cell) for cell in row) for row in matrix.cells),
        accuracy=wilson(int(np.trace(matrix.cells)), counts),
        kappa=kappa_of(matrix),
        linear_kappa=kappa_of(matrix, weights="linear"),
        quadratic_kappa=kappa_of(matrix, weights="quadratic"),
        macro_f1=matrix.macro_f1,
        by_label=tuple(
            CategoryFigures(
                label=str(label), precision=matrix.precision(label), recall=matrix.recall(label), f1=matrix.f1(label)
            )
            for label in matrix.categories
        ),
    )


def _numbers(row: Mapping[str, Any], counts: Counts) -> NumberAgreement:
    paired = Counts(row["n"], counts.failed, counts.skipped + counts.n - row["n"])
    is_known = row["varies"] and row["n"] > 2
    return NumberAgreement(
        pearson=pearson_of(row["pearson"] if is_known else NAN, paired),
        spearman=spearman_of(row["spearman"] if is_known else NAN, paired),
        mean_absolute_error=Estimate(row["mean_absolute_error"], paired),
        bias=student(Moments(row["n"], row["bias"], row["deviation"]), failed=paired.failed, skipped=paired.skipped),
        deviation=row["deviation"],
    )

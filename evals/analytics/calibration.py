"""A judge against people, and what its verdicts on everything else are worth, from the sums that ClickHouse takes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from evals.statistics.agreement import ConfusionMatrix
from evals.statistics.calibration import calibration_of, corrected_prevalence, prediction_powered_mean
from evals.statistics.intervals import student, wilson
from evals.statistics.samples import Moments
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.score_analytics import (
    Calibration,
    JudgeCalibration,
    LabelAgreement,
    NumberAgreement,
    PairAgreement,
)
from heliograph.domain.statistics import Counts

_TRUTH = ("False", "True")
Verdicts = Mapping[bool, Mapping[str, Any]]


def calibration(agreements: Sequence[PairAgreement], verdicts: pa.Table) -> Calibration:
    """Each version of a judge of truth values or numbers; labels of other kinds have an agreement, and no correction.

    Args:
        agreements: people's labels with each version of the judge.
        verdicts: of `ScoreAgreements.verdicts`: what the judge said where people labelled, and elsewhere.
    """
    found: dict[str, dict[bool, Mapping[str, Any]]] = {}
    for row in plain_rows(verdicts):
        found.setdefault(row["version"], {})[bool(row["is_labelled"])] = row
    return Calibration(versions=tuple(_versions(agreements, found)))


def _versions(
    agreements: Sequence[PairAgreement], verdicts: Mapping[str, Verdicts]
) -> Iterator[JudgeCalibration]:  # fmt: skip
    for one in agreements:
        if one.mixes_versions:
            continue
        if one.labels is not None and one.labels.categories == _TRUTH:
            yield _of_truths(one, one.labels, verdicts[one.second_version])
        elif one.numbers is not None:
            yield _of_numbers(one, one.numbers, verdicts[one.second_version])


def _of_truths(agreement: PairAgreement, labels: LabelAgreement, verdicts: Verdicts) -> JudgeCalibration:
    cells = np.array(labels.cells, dtype=np.int64)
    known = calibration_of(ConfusionMatrix((False, True), cells, agreement.counts))
    positives = sum(row["positives"] for row in verdicts.values())
    judged = Counts(sum(row["n"] for row in verdicts.values()))
    return JudgeCalibration(
        version=agreement.second_version,
        agreement=agreement,
        sensitivity=known.sensitivity,
        specificity=known.specificity,
        bias=None,
        apparent=wilson(positives, judged),
        corrected=corrected_prevalence(positives, judged, known),
    )


def _of_numbers(agreement: PairAgreement, numbers: NumberAgreement, verdicts: Verdicts) -> JudgeCalibration:
    labelled, rest = (_moments(verdicts.get(is_labelled)) for is_labelled in (True, False))
    errors = Moments(numbers.bias.counts.n, -numbers.bias.value, numbers.deviation)
    return JudgeCalibration(
        version=agreement.second_version,
        agreement=agreement,
        sensitivity=None,
        specificity=None,
        bias=numbers.bias,
        apparent=student(labelled + rest),
        corrected=prediction_powered_mean(rest, errors),
    )


def _moments(row: Mapping[str, Any] | None) -> Moments:
    return Moments(0) if row is None else Moments(row["n"], row["mean"], row["deviation"])

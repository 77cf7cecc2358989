"""How scores are distributed and go over time, from the sums that ClickHouse takes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from evals.statistics.intervals import student
from evals.statistics.samples import Moments
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.score_analytics import Bin, Distribution, Trend, TrendPoint, Unscored, VersionDistribution
from heliograph.domain.statistics import NAN, Counts, Estimate

_NONE = Counts(0)


def distribution(
    name: str, *, versions: pa.Table, labels: pa.Table, bins: pa.Table, unscored: Sequence[Unscored] = ()
) -> Distribution:
    """The distribution of a name from the tables of `ScoreDistributions`, and the evaluations that gave no score."""
    left = _by(unscored, lambda one: one.version)
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in plain_rows(labels):
        found.setdefault((row["version"], row["data_type"]), {})[row["label"]] = row["n"]
    return Distribution(
        name=name,
        failed=sum(one.failed for one in unscored),
        skipped=sum(one.skipped for one in unscored),
        versions=tuple(
            _version(row, found.get((row["version"], row["data_type"]), {}), left.pop(row["version"], _NONE))
            for row in plain_rows(versions)
        ),
        bins=tuple(Bin(**row) for row in plain_rows(bins)),
    )


def trend(points: pa.Table, unscored: Sequence[Unscored] = ()) -> Trend:
    """The trend of names from the table of `ScoreDistributions.trend`, and the evaluations that gave no score."""
    return Trend(points=tuple(_points(points, _by(unscored, lambda one: (one.name, one.version, one.time)))))


def _points(points: pa.Table, left: Mapping[Any, Counts]) -> Iterator[TrendPoint]:
    for row in plain_rows(points):
        name, version, time = row["name"], row["version"], row["time"]
        mean = mean_of(row, left.get((name, version, time), _NONE))
        yield TrendPoint(time=time, name=name, version=version, mean=mean)


def _by(unscored: Sequence[Unscored], key: Callable[[Unscored], Any]) -> dict[Any, Counts]:
    found: dict[Any, Counts] = {}
    for one in unscored:
        before = found.get(key(one), _NONE)
        found[key(one)] = Counts(0, before.failed + one.failed, before.skipped + one.skipped)
    return found


def _version(row: Mapping[str, Any], labels: dict[str, int], left: Counts) -> VersionDistribution:
    has_numbers = row["data_type"] in ("NUMERIC", "BOOLEAN")
    numbers = {name: row[name] if has_numbers else NAN for name in ("deviation", "minimum", "median", "maximum")}
    return VersionDistribution(
        version=row["version"],
        data_type=row["data_type"],
        mean=mean_of(row if has_numbers else {**row, "mean": NAN, "deviation": NAN}, left),
        labels=labels,
        first_at=row["first_at"],
        last_at=row["last_at"],
        **numbers,
    )


def mean_of(row: Mapping[str, Any], left: Counts = _NONE) -> Estimate:
    """A mean with Student's interval, of a row with n, mean and deviation; `left` counts what has no value."""
    return student(Moments(row["n"], row["mean"], row["deviation"]), failed=left.failed, skipped=left.skipped)

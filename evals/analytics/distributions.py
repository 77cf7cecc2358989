"""How scores are distributed and go over time, from the sums that ClickHouse takes."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from evals.statistics.intervals import student
from evals.statistics.samples import Moments
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.score_analytics import Bin, Distribution, Trend, TrendPoint, VersionDistribution
from heliograph.domain.statistics import NAN, Estimate


def distribution(name: str, *, versions: pa.Table, labels: pa.Table, bins: pa.Table) -> Distribution:
    """The distribution of a name from the tables of `ScoreDistributions`."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in plain_rows(labels):
        found.setdefault((row["version"], row["data_type"]), {})[row["label"]] = row["n"]
    return Distribution(
        name=name,
        versions=tuple(
            _version(row, found.get((row["version"], row["data_type"]), {})) for row in plain_rows(versions)
        ),
        bins=tuple(Bin(**row) for row in plain_rows(bins)),
    )


def trend(points: pa.Table) -> Trend:
    """The trend of names from the table of `ScoreDistributions.trend`."""
    return Trend(points=tuple(_points(points)))


def _points(points: pa.Table) -> Iterator[TrendPoint]:
    for row in plain_rows(points):
        yield TrendPoint(time=row["time"], name=row["name"], version=row["version"], mean=mean_of(row))


def _version(row: Mapping[str, Any], labels: dict[str, int]) -> VersionDistribution:
    has_numbers = row["data_type"] in ("NUMERIC", "BOOLEAN")
    numbers = {name: row[name] if has_numbers else NAN for name in ("deviation", "minimum", "median", "maximum")}
    return VersionDistribution(
        version=row["version"],
        data_type=row["data_type"],
        mean=mean_of(row if has_numbers else {**row, "mean": NAN, "deviation": NAN}),
        labels=labels,
        first_at=row["first_at"],
        last_at=row["last_at"],
        **numbers,
    )


def mean_of(row: Mapping[str, Any]) -> Estimate:
    """A mean with Student's interval, of a row with n, mean and deviation."""
    return student(Moments(row["n"], row["mean"], row["deviation"]))

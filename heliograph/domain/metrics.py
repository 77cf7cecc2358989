"""The query language of metrics: which figures, grouped by what, over which time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from heliograph.domain.filters import MAX_CONDITIONS, Condition

MAX_ROWS = 1_000
MAX_BINS = 100
DEFAULT_BINS = 10
_MAX_COLUMNS = 20
# How many steps of time one answer may have: minutes of a week.
MAX_STEPS = 10_080

TIME_DIMENSION = "time_dimension"

_Name = Annotated[str, Field(min_length=1, max_length=100)]
Row = dict[str, Any]


class ViewName(StrEnum):
    """What is looked at: each row is one of these."""

    TRACES = "traces"
    OBSERVATIONS = "observations"
    NUMERIC_SCORES = "scores-numeric"
    CATEGORICAL_SCORES = "scores-categorical"
    BOOLEAN_SCORES = "scores-boolean"
    # Of widgets alone: what lanes measure of themselves.
    INGESTION = "ingestion"


class Aggregation(StrEnum):
    """How the values of many rows become one."""

    SUM = "sum"
    AVG = "avg"
    COUNT = "count"
    MAX = "max"
    MIN = "min"
    P50 = "p50"
    P75 = "p75"
    P90 = "p90"
    P95 = "p95"
    P99 = "p99"
    HISTOGRAM = "histogram"
    UNIQ = "uniq"


class Granularity(StrEnum):
    """The steps of time; weeks begin on Mondays, everything is UTC."""

    AUTO = "auto"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


_SHORTEST = {
    Granularity.MINUTE: timedelta(minutes=1),
    Granularity.HOUR: timedelta(hours=1),
    Granularity.DAY: timedelta(days=1),
    Granularity.WEEK: timedelta(weeks=1),
    Granularity.MONTH: timedelta(days=28),
}
# Up to which length of time `auto` chooses which step.
_AUTOMATIC = (
    (timedelta(hours=2), Granularity.MINUTE),
    (timedelta(hours=72), Granularity.HOUR),
    (timedelta(days=60), Granularity.DAY),
    (timedelta(days=365), Granularity.WEEK),
)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_Moment = Annotated[datetime, AfterValidator(_aware)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class Dimension(_Part):
    """What rows are grouped by."""

    field: _Name


class Metric(_Part):
    """A figure of each group."""

    measure: _Name
    aggregation: Aggregation

    @property
    def column(self) -> str:
        """Its name in the answer."""
        return f"{self.aggregation}_{self.measure}"


class TimeDimension(_Part):
    """Group by steps of time."""

    granularity: Granularity


class Ordering(_Part):
    """A column of the answer to sort by."""

    field: _Name
    direction: Literal["asc", "desc"]


class Options(BaseModel):
    """How many bins a histogram has, and how many rows an answer."""

    model_config = ConfigDict(frozen=True)

    bins: Annotated[int, Field(ge=1, le=MAX_BINS)] = DEFAULT_BINS
    row_limit: Annotated[int, Field(ge=1, le=MAX_ROWS)] | None = None


class MetricsQuery(_Part):
    """One query: from a moment, inclusive, to another, exclusive."""

    view: ViewName
    dimensions: Annotated[tuple[Dimension, ...], Field(max_length=_MAX_COLUMNS)] = ()
    metrics: Annotated[tuple[Metric, ...], Field(max_length=_MAX_COLUMNS)]
    filters: Annotated[tuple[Condition, ...], Field(max_length=MAX_CONDITIONS)] = ()
    time_dimension: TimeDimension | None = None
    from_timestamp: _Moment
    to_timestamp: _Moment
    order_by: Annotated[tuple[Ordering, ...], Field(max_length=_MAX_COLUMNS)] | None = None
    config: Options | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.from_timestamp >= self.to_timestamp:
            raise ValueError("fromTimestamp must be before toTimestamp")
        if not self.metrics and not self.dimensions:
            raise ValueError("ask for one metric at least")
        return self

    @property
    def options(self) -> Options:
        """The options; the defaults unless some are set."""
        return self.config or Options()

    @property
    def fields(self) -> list[str]:
        """The dimensions, each once."""
        return list(dict.fromkeys(each.field for each in self.dimensions))

    @property
    def figures(self) -> dict[str, Metric]:
        """The metrics by their columns."""
        return {each.column: each for each in self.metrics}

    @property
    def granularity(self) -> Granularity | None:
        """The steps of time; `auto` is resolved by the length of the period."""
        if self.time_dimension is None:
            return None
        if self.time_dimension.granularity is not Granularity.AUTO:
            return self.time_dimension.granularity
        length = self.to_timestamp - self.from_timestamp
        return next((step for longest, step in _AUTOMATIC if length < longest), Granularity.MONTH)


def parse(text: str) -> MetricsQuery:
    """The query of a JSON text; raises pydantic's ValidationError."""
    return MetricsQuery.model_validate_json(text)


def step_count(granularity: Granularity, after: datetime, before: datetime) -> int:
    """How many steps there are at most."""
    return int((before - after) / _SHORTEST[granularity]) + 2


def steps(granularity: Granularity, after: datetime, before: datetime) -> Iterator[datetime]:
    """When the steps begin that `after`, inclusive, to `before`, exclusive, touches."""
    at = start_of_step(granularity, after.astimezone(UTC))
    # From the first of a month 31 days lead into the next one, whatever its length.
    to_next = timedelta(days=31) if granularity is Granularity.MONTH else _SHORTEST[granularity]
    while at < before:
        yield at
        at = start_of_step(granularity, at + to_next)


def start_of_step(granularity: Granularity, moment: datetime) -> datetime:
    """When the step that holds this moment began."""
    if granularity is Granularity.MINUTE:
        return moment.replace(second=0, microsecond=0)
    hour = moment.replace(minute=0, second=0, microsecond=0)
    if granularity is Granularity.HOUR:
        return hour
    day = hour.replace(hour=0)
    match granularity:
        case Granularity.WEEK:
            return day - timedelta(days=day.weekday())
        case Granularity.MONTH:
            return day.replace(day=1)
        case _:
            return day


def step_label(granularity: Granularity, moment: datetime) -> str:
    """How a step is called: days and longer ones by their first date."""
    if granularity in {Granularity.MINUTE, Granularity.HOUR}:
        return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    return f"{moment:%Y-%m-%d}"


def filled(rows: list[Row], labels: list[str], gap: Row) -> list[Row]:
    """Rows in the order of the labels of their time; a label that no row has gets the row of a gap."""
    by_label: dict[str, list[Row]] = {}
    for row in rows:
        by_label.setdefault(row[TIME_DIMENSION], []).append(row)
    # A label beyond those that were foreseen is kept: rows are never lost.
    known = [*labels, *(label for label in by_label if label not in set(labels))]
    return [row for label in known for row in by_label.get(label, [gap | {TIME_DIMENSION: label}])]

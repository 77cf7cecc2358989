"""What is said of selections of rows."""

from collections.abc import Sequence

from serve_apps.api.shapes.values import Instant, JsonShape


class CountShape(JsonShape):
    """How many rows there are."""

    count: int


class PeriodShape(JsonShape):
    """From a moment, inclusive, to another, exclusive; null is open."""

    since: Instant | None
    until: Instant | None


class RowsMeta(JsonShape):
    """How many rows there are in all of them."""

    rows: int


class PartitionsShape(JsonShape):
    """Periods that hold every row once."""

    data: Sequence[PeriodShape]
    meta: RowsMeta

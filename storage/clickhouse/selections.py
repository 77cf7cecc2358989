"""Reading selections of observations, traces and scores."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from string import Template
from typing import Any, NamedTuple

from heliograph.domain.backfills import DayPart
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluation_rules import SAMPLING
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.selections import SelectedTable, Selection
from storage.clickhouse.clauses import TIME_TYPE, Where, moment
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.day_parts import part_conditions
from storage.clickhouse.exposed import EXPOSED
from storage.clickhouse.streams import ArrowStreams

# Fewer rows are read by one task as fast as by many.
MIN_PARTITION_ROWS = 5_000
# Where a row stands by `sample_place`, so that runs and rules take the same ones: a microsecond a row.
_SAMPLED = """
    bitShiftRight(reinterpretAsUInt64(reverse(substring(SHA256(concat({sampling:String}, id)), 1, 8))), 11)
        < {sampled:Float64} * 9007199254740992
"""
_ROWS = Template("SELECT $columns FROM $table FINAL WHERE project_id = {project_id:String} $where $order")
_NEWEST = Template("ORDER BY $order LIMIT {limit:UInt64}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Period(NamedTuple):
    """From `since`, inclusive, to `until`, exclusive; None is open."""

    since: datetime | None
    until: datetime | None


class Partitions(NamedTuple):
    """Periods that hold every row of a selection once, and how many rows there are."""

    periods: tuple[Period, ...]
    rows: int


class Selections:
    """The rows of one project."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        streams: ArrowStreams,
        project_id: ProjectId,
        *,
        min_partition_rows: int = MIN_PARTITION_ROWS,
    ) -> None:
        self._min_partition_rows = min_partition_rows
        self._clickhouse = clickhouse
        self._streams = streams
        self._project_id = project_id

    async def stream(self, table: SelectedTable, asked: Selection) -> AsyncIterator[bytes]:
        """The rows as an Arrow stream, compressed by lz4; see `ArrowStreams.open`.

        Raises:
            InvalidRequest: a column is not known, or cannot be asked what the filter asks.
        """
        return await self._streams.open(*selection_query(table, asked, self._project_id))

    def check(self, table: SelectedTable, asked: Selection) -> None:
        """Raise what `stream` raises of a selection that cannot be read; nothing is."""
        selection_query(table, asked, self._project_id)

    _COUNT = Template("SELECT count() AS found FROM $table FINAL WHERE project_id = {project_id:String} $where")

    async def count(self, table: SelectedTable, asked: Selection) -> int:
        """How many rows there are, at most the limit."""
        where = _where(table, asked, self._project_id)
        sql = self._COUNT.substitute(table=table.value, where=where.sql)
        found = int((await self._clickhouse.read(sql, where.parameters))["found"][0].as_py())
        return found if asked.limit is None else min(found, asked.limit)

    _BOUNDS = Template("""
        SELECT count() AS found, quantiles($levels)(toUnixTimestamp64Micro($time)) AS bounds
        FROM $table FINAL WHERE project_id = {project_id:String} $where
    """)

    async def partitions(self, table: SelectedTable, asked: Selection, at_most: int) -> Partitions:
        """At most so many periods, each with about as many rows; one alone of a selection with a limit."""
        where = _where(table, asked, self._project_id)
        levels = ", ".join(f"{number / at_most:.6f}" for number in range(1, at_most)) or "0.5"
        sql = self._BOUNDS.substitute(levels=levels, time=EXPOSED[table].time, table=table.value, where=where.sql)
        (row,) = (await self._clickhouse.read(sql, where.parameters)).to_pylist()
        rows = int(row["found"])
        wanted = min(at_most, rows // self._min_partition_rows)
        if asked.limit is not None or wanted < 2:
            return Partitions(
                (Period(asked.since, asked.until),), rows if asked.limit is None else min(rows, asked.limit)
            )
        return Partitions(_periods(asked, _chosen(row["bounds"], wanted)), rows)


def selection_query(
    table: SelectedTable, asked: Selection, project_id: ProjectId, *, part: DayPart | None = None
) -> tuple[str, dict[str, Any]]:
    """The SELECT of a selection's rows, or of one part of them, and its values; raises as `Selections.stream`."""
    exposed = EXPOSED[table]
    names = asked.select or exposed.cheap
    if unknown := [name for name in names if name not in exposed.columns]:
        known = ", ".join(sorted(exposed.columns))
        raise InvalidRequest("select", f"there is no column {unknown[0]!r} in {table}; there are {known}")
    if len(set(names)) < len(names):
        raise InvalidRequest("select", "names a column twice")
    where = _where(table, asked, project_id)
    if part is not None:
        conditions, values = part_conditions(table.value, part)
        where = where.also(conditions, **values)
    order = ""
    if asked.limit is not None:
        where.parameters["limit"] = asked.limit
        order = _NEWEST.substitute(order=exposed.order)
    columns = exposed.projection(names)
    return _ROWS.substitute(columns=columns, table=table.value, where=where.sql, order=order), where.parameters


def _where(table: SelectedTable, asked: Selection, project_id: ProjectId) -> Where:
    exposed = EXPOSED[table]
    conditions = () if asked.where is None else (asked.where,)
    where = Where.of(exposed.filters, conditions, project_id=project_id)
    bounds: dict[str, Any] = {"since": asked.since, "until": asked.until}
    for name, operator in (("since", ">="), ("until", "<")):
        if bounds[name] is not None:
            term = f"{exposed.time} {operator} {{{name}:{TIME_TYPE}}}"
            where = where.also(term, **{name: moment(bounds[name])})
    if asked.sample is not None and asked.sample < 1:
        where = where.also(_SAMPLED, sampling=SAMPLING, sampled=asked.sample)
    return where


def _chosen(bounds: Sequence[float], wanted: int) -> list[datetime]:
    """So many minus one of the bounds, evenly."""
    places = {round(number * (len(bounds) + 1) / wanted) - 1 for number in range(1, wanted)}
    return sorted({_EPOCH + timedelta(microseconds=int(bounds[place])) for place in places})


def _periods(asked: Selection, bounds: Sequence[datetime]) -> tuple[Period, ...]:
    edges = [asked.since, *bounds, asked.until]
    return tuple(Period(since, until) for since, until in pairwise(edges) if since != until)

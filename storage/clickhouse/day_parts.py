"""Cuts rows of a project into parts of about the same size: days, and ranges of ids within a day."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from string import Template
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from heliograph.domain.backfills import DayPart
from heliograph.domain.errors import QueryTooExpensive, Unavailable
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.clauses import TIME_TYPE, moment
from storage.clickhouse.deferred import DeferredClient

RETRY_AFTER_SECONDS = 1.0
AWAY = (ClickHouseError, HTTPError, OSError, pa.ArrowException, QueryTooExpensive)
# Of each day so many ids tell how the others are spread.
_SAMPLED = 4_000
_SEED = 7
# The time by which a table's rows belong to a day, and the id by which they lie within it.
TIMES = {"observations": "start_time", "traces": "timestamp", "scores": "timestamp"}
KEYS = {"observations": "trace_id", "traces": "id", "scores": "id"}


class DayParts:
    """The parts of one table of one project. Blocking: call it from a thread."""

    def __init__(self, client: DeferredClient, project_id: ProjectId, table: str) -> None:
        self._client = client
        self._project_id = project_id
        self._table = table

    # Superseded rows may count as well: parts need not be of the same size.
    _DAYS = Template("""
        SELECT toDate($time) AS day, count() AS found, arraySort(groupArraySample($sampled, $seed)($key)) AS sample
        FROM $table WHERE project_id = {project:String} AND $where GROUP BY day ORDER BY day
    """)

    def cut(self, start: datetime | None, end: datetime | None, rows_per_part: int) -> list[DayPart]:
        """Parts of about so many rows that hold every row from `start` on and before `end` once; raises Unavailable."""
        where, values = time_conditions(self._table, start, end)
        names = {"table": self._table, "time": TIMES[self._table], "key": KEYS[self._table]}
        sql = self._DAYS.substitute(names, where=where, sampled=_SAMPLED, seed=_SEED)
        try:
            found = self._client.get().query_arrow(sql, parameters={"project": self._project_id, **values})
        except AWAY as error:
            raise Unavailable("ClickHouse", RETRY_AFTER_SECONDS) from error
        days = found.set_column(0, "day", found["day"].cast(pa.int32()).cast(pa.date32())).to_pylist()
        return [part for row in days for part in _cut(row, rows_per_part)]


def part_conditions(table: str, part: DayPart) -> tuple[str, dict[str, Any]]:
    """What the rows of a part meet, and the values that this binds."""
    first, last = part.bounds
    conditions, values = time_conditions(table, first, last, names=("first", "last"))
    for name, text, operator in (("above", part.above, ">"), ("through", part.through, "<=")):
        if text is not None:
            conditions += f" AND {KEYS[table]} {operator} {{{name}:String}}"
            values[name] = text
    return conditions, values


def time_conditions(
    table: str, start: datetime | None, end: datetime | None, *, names: tuple[str, str] = ("start", "end")
) -> tuple[str, dict[str, Any]]:
    """What rows from `start` on and before `end` meet, and the values that this binds; always true without either."""
    conditions, values = "true", {}
    for name, bound, operator in zip(names, (start, end), (">=", "<"), strict=True):
        if bound is not None:
            conditions += f" AND {TIMES[table]} {operator} {{{name}:{TIME_TYPE}}}"
            values[name] = moment(bound)
    return conditions, values


def _cut(day: dict[str, Any], rows_per_part: int) -> Iterator[DayPart]:
    wanted = -(-day["found"] // rows_per_part)
    # PostgreSQL's text holds no NUL.
    sample = [key for key in day["sample"] if "\0" not in key]
    cuts = sorted({sample[len(sample) * number // wanted] for number in range(1, wanted)}) if sample else []
    edges = [None, *cuts, None]
    for above, through in pairwise(edges):
        yield DayPart(day["day"], above, through, day["found"] // (len(edges) - 1))

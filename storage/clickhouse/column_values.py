"""What a list can be filtered by: the values that occur in a column."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from string import Template
from typing import Any

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.clauses import moment, said
from storage.clickhouse.columns import OBSERVATION_COLUMNS, SCORE_COLUMNS, TRACE_COLUMNS, Column, Columns, Kind
from storage.clickhouse.connection import ClickHouse

MAX_VALUES = 1000
# Maps are wide: the newest rows tell what is in use.
_SAMPLED_ROWS = 20_000


@dataclass(frozen=True)
class _Source:
    time: str
    columns: Columns


_SOURCES: Mapping[str, _Source] = {
    "traces": _Source("timestamp", TRACE_COLUMNS),
    "observations": _Source("start_time", OBSERVATION_COLUMNS),
    "scores": _Source("timestamp", SCORE_COLUMNS),
}
_FORMS = {Kind.TEXT: "{sql}", Kind.TEXTS: "arrayJoin({sql})"}
_MAPS = (Kind.JSON_MAP, Kind.TEXT_MAP, Kind.NUMBER_MAP)
_ENTRY = "entries[{key:String}]"


class ColumnValues:
    """The values in rows of a project from `after`, inclusive, to `before`, exclusive; the most frequent first."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._project_id = project_id

    _VALUES = Template("""
        SELECT $value AS value FROM $table FINAL
        WHERE project_id = {project_id:String} AND value != '' AND positionCaseInsensitive(value, {text:String}) > 0
            AND $time >= {after:DateTime64(6, 'UTC')} AND $time < {before:DateTime64(6, 'UTC')}
        GROUP BY value ORDER BY count() DESC, value LIMIT {limit:UInt32}
    """)

    async def of(
        self, table: str, column: str, *, after: datetime, before: datetime, text: str = "", limit: int = MAX_VALUES
    ) -> list[str]:
        """The values of a column of traces, observations or scores, by its name in filters, that contain a text.

        Raises:
            InvalidRequest: the column is unknown, or holds no texts.
        """
        found = _column(table, column, *_FORMS)
        sql = self._VALUES.substitute(
            value=_FORMS[found.kind].format(sql=found.sql), table=table, time=_SOURCES[table].time
        )
        return await self._read(sql, after=after, before=before, text=text, limit=limit)

    _ENTRIES = Template("""
        SELECT $value AS value FROM (
            SELECT $map AS entries FROM $table
            WHERE project_id = {project_id:String} AND notEmpty(entries)
                AND $time >= {after:DateTime64(6, 'UTC')} AND $time < {before:DateTime64(6, 'UTC')}
            ORDER BY $time DESC LIMIT {rows:UInt32}
        )
        WHERE value != '' GROUP BY value ORDER BY count() DESC, value LIMIT {limit:UInt32}
    """)

    async def keys(
        self, table: str, column: str, *, after: datetime, before: datetime, limit: int = MAX_VALUES
    ) -> list[str]:
        """The keys of a column of maps in the newest rows; raises InvalidRequest as `of` does."""
        found = _column(table, column, *_MAPS)
        sql = self._in_maps(found, table, "arrayJoin(mapKeys(entries))")
        return await self._read(sql, after=after, before=before, rows=_SAMPLED_ROWS, limit=limit)

    async def entries(
        self, table: str, column: str, key: str, *, after: datetime, before: datetime, limit: int = MAX_VALUES
    ) -> list[str]:
        """What the maps of a column hold under a key in the newest rows; raises InvalidRequest as `of` does."""
        found = _column(table, column, Kind.JSON_MAP, Kind.TEXT_MAP)
        sql = self._in_maps(found, table, said(_ENTRY) if found.kind is Kind.JSON_MAP else _ENTRY)
        return await self._read(sql, after=after, before=before, rows=_SAMPLED_ROWS, limit=limit, key=key)

    def _in_maps(self, column: Column, table: str, value: str) -> str:
        return self._ENTRIES.substitute(value=value, map=column.sql, table=table, time=_SOURCES[table].time)

    async def _read(self, sql: str, *, after: datetime, before: datetime, **bound: Any) -> list[str]:
        span = {"project_id": self._project_id, "after": moment(after), "before": moment(before)}
        values = await self._clickhouse.read(sql, span | bound)
        return [str(value) for value in values["value"].to_pylist()]


def _column(table: str, name: str, *kinds: Kind) -> Column:
    found = _SOURCES[table].columns.get(name)
    if found is None or found.kind not in kinds:
        raise InvalidRequest("column", f"has no values to choose from: {name}")
    return found

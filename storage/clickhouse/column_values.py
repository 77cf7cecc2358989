"""What a list can be filtered by: the values that occur in a column."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from string import Template

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.clauses import moment
from storage.clickhouse.columns import OBSERVATION_COLUMNS, SCORE_COLUMNS, TRACE_COLUMNS, Column, Columns, Kind
from storage.clickhouse.connection import ClickHouse

MAX_VALUES = 1000


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
        source = _SOURCES[table]
        found = source.columns.get(column)
        if found is None or found.kind not in _FORMS:
            raise InvalidRequest("column", f"has no values to choose from: {column}")
        sql = self._VALUES.substitute(value=_form(found), table=table, time=source.time)
        bound = {"after": moment(after), "before": moment(before), "text": text, "limit": limit}
        values = await self._clickhouse.read(sql, {"project_id": self._project_id, **bound})
        return [str(value) for value in values["value"].to_pylist()]


def _form(column: Column) -> str:
    return _FORMS[column.kind].format(sql=column.sql)

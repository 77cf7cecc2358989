"""Rows of a project by when they changed last."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from string import Template
from typing import Any

import pyarrow as pa

from heliograph.domain.blob_storage import ExportedTable, Period
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.selections import SelectedTable
from storage.clickhouse.clauses import FIRST_MOMENT, TIME_TYPE, moment
from storage.clickhouse.day_parts import AWAY, RETRY_AFTER_SECONDS
from storage.clickhouse.deferred import DeferredClient
from storage.clickhouse.exposed import EXPOSED

# Of a day's rows at most, which an analysis may want for hours.
_SETTINGS = {"max_execution_time": 3_600}


class ChangedRows:
    """The rows of one project. Blocking: call it from a thread."""

    def __init__(self, client: DeferredClient, project_id: ProjectId) -> None:
        self._client = client
        self._project_id = project_id

    _FIRST = Template("""
        SELECT count() AS found, min(updated_at) AS first FROM $table
        WHERE project_id = {project_id:String} AND $time >= {since:$type}
    """)

    def first(self, table: SelectedTable, since: datetime | None) -> datetime | None:
        """When the earliest change was of rows whose time is not before `since`; raises Unavailable."""
        sql = self._FIRST.substitute(table=table.value, time=EXPOSED[table].time, type=TIME_TYPE)
        with _available():
            rows = self._client.get().query(sql, parameters=self._bound(since)).result_rows
        ((found, first),) = rows
        return first.replace(tzinfo=UTC) if found else None

    _ROWS = Template("""
        SELECT $columns FROM $table FINAL
        WHERE project_id = {project_id:String} AND $time >= {since:$type}
            AND updated_at > {after:$type} AND updated_at <= {until:$type}
    """)

    @contextmanager
    def stream(
        self, wanted: ExportedTable, period: Period, since: datetime | None
    ) -> Iterator[Iterator[pa.RecordBatch]]:
        """The rows that changed last in a period, in batches, in no order; raises Unavailable."""
        exposed = EXPOSED[wanted.table]
        sql = self._ROWS.substitute(
            columns=exposed.projection(wanted.columns), table=wanted.table.value, time=exposed.time, type=TIME_TYPE
        )
        bound = self._bound(since) | {"after": moment(period.after), "until": moment(period.until)}
        with _available():
            stream = self._client.get().query_arrow_stream(sql, parameters=bound, settings=_SETTINGS)
            with stream as batches:
                yield iter(batches)

    def _bound(self, since: datetime | None) -> dict[str, Any]:
        return {"project_id": self._project_id, "since": moment(since or FIRST_MOMENT)}


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except AWAY as error:
        raise Unavailable("ClickHouse", RETRY_AFTER_SECONDS) from error

"""Which payloads in object storage the rows of traces still name."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from heliograph.domain.errors import QueryTooExpensive, Unavailable
from heliograph.domain.oversized import PATTERN
from storage.clickhouse.deferred import DeferredClient

_RETRY_AFTER_SECONDS = 1.0
_AWAY = (ClickHouseError, HTTPError, OSError, pa.ArrowException, QueryTooExpensive)
# ClickHouse takes no longer parameter than 128 kB, and an id has up to 800 characters.
_TRACES_AT_ONCE = 40

_MARKS = """
    SELECT DISTINCT {subject} AS trace_id, arrayJoin(extractAll(
        concat(input, '\\n', output, '\\n', arrayStringConcat(mapValues(metadata), '\\n'){more}), {{pattern:String}}
    )) AS digest
    FROM {table} FINAL WHERE project_id = {{project_id:String}}
"""
_OF_OBSERVATIONS = _MARKS.format(
    table="observations", subject="trace_id", more=", '\\n', arrayStringConcat(mapValues(trace_metadata), '\\n')"
)
_OF_TRACES = _MARKS.format(table="traces", subject="id", more="")


class PayloadMarks:
    """Reads the marks in rows. Blocking: call it from a thread."""

    def __init__(self, client: DeferredClient) -> None:
        self._client = client

    def of_traces(self, project_id: str, trace_ids: Sequence[str]) -> set[tuple[str, str]]:
        """The trace id and digest of every mark in the rows of these traces; raises Unavailable."""
        found: set[tuple[str, str]] = set()
        for start in range(0, len(trace_ids), _TRACES_AT_ONCE):
            ids = list(trace_ids[start : start + _TRACES_AT_ONCE])
            found |= self._read(f"{_OF_OBSERVATIONS} AND trace_id IN {{ids:Array(String)}}", project_id, ids=ids)
            found |= self._read(f"{_OF_TRACES} AND id IN {{ids:Array(String)}}", project_id, ids=ids)
        return found

    def of_project(self, project_id: str) -> set[tuple[str, str]]:
        """The same of all that is left of a project; raises Unavailable."""
        return self._read(_OF_OBSERVATIONS, project_id) | self._read(_OF_TRACES, project_id)

    def _read(self, sql: str, project_id: str, **parameters: Any) -> set[tuple[str, str]]:
        bound = {"project_id": project_id, "pattern": PATTERN, **parameters}
        try:
            rows = self._client.get().query_arrow(sql, parameters=bound)
        except _AWAY as error:
            raise Unavailable("ClickHouse", _RETRY_AFTER_SECONDS) from error
        return set(zip(rows["trace_id"].to_pylist(), rows["digest"].to_pylist(), strict=True))

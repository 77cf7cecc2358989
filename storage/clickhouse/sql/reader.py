"""Runs SQL of users: confined, read-only, and within limits of time, memory and size."""

import asyncio
import re
from collections.abc import AsyncIterator

from clickhouse_connect.driver.exceptions import ClickHouseError

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.selections import SelectedTable
from storage.clickhouse.sql.confinement import confined
from storage.clickhouse.streams import SETTINGS, ArrowStreams

MAX_ROWS = 1_000_000
MAX_BYTES = 256 << 20
MAX_SECONDS = 30
MAX_MEMORY_BYTES = 1 << 30

_LIMITS = {
    **SETTINGS,
    # A result within its limits is buffered by the server, so that a failure has a status of its own.
    "wait_end_of_query": 1,
    "max_execution_time": MAX_SECONDS,
    "max_memory_usage": MAX_MEMORY_BYTES,
    "max_result_rows": MAX_ROWS,
    "max_result_bytes": MAX_BYTES,
    "prefer_column_name_to_alias": 0,
    "allow_introspection_functions": 0,
    "max_ast_elements": 100_000,
    "max_subquery_depth": 100,
}
_ENDS = r" [Ii]n scope |: While |: while | Maybe you meant|\. \(|\(version|$"
_MESSAGE = re.compile(rf"DB::Exception: (?P<message>.*?)(?:{_ENDS})", re.DOTALL)


class Sql:
    """SQL over the rows of one project."""

    def __init__(self, streams: ArrowStreams, project_id: ProjectId) -> None:
        self._streams = streams
        self._project_id = project_id

    async def stream(self, query: str) -> AsyncIterator[bytes]:
        """The result of one SELECT as an Arrow stream; see `ArrowStreams.open`.

        Raises:
            InvalidRequest: the query is refused, or ClickHouse cannot run it; it says why.
            QueryTooExpensive: it exceeds a limit.
        """
        sql = await asyncio.to_thread(confined, query)
        settings = _LIMITS | {"additional_table_filters": self._fence}
        try:
            return await self._streams.open(sql, {"project_id": self._project_id}, settings)
        except ClickHouseError as error:
            raise InvalidRequest("query", _told(error)) from error

    @property
    def _fence(self) -> str:
        """ClickHouse's own filter of every table, should a query ever reach one unbound."""
        condition = f"project_id = {_quoted(self._project_id)}"
        return "{" + ", ".join(f"{_quoted(table)}: {_quoted(condition)}" for table in SelectedTable) + "}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _told(error: Exception) -> str:
    """What ClickHouse says is wrong, without the query that it was given."""
    found = _MESSAGE.search(str(error))
    return found["message"].strip()[:500] if found else "ClickHouse cannot run it"

"""Whole rows as they are stored, for whoever compares them with what they should be."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from heliograph.domain import tables
from heliograph.domain.errors import QueryTooExpensive, Unavailable
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.deferred import DeferredClient
from storage.clickhouse.parameters import portions

_RETRY_AFTER_SECONDS = 1.0
_AWAY = (ClickHouseError, HTTPError, OSError, pa.ArrowException, QueryTooExpensive)


class WholeRows:
    """Reads rows of one project with all columns. Blocking: call it from a thread."""

    def __init__(self, client: DeferredClient, project_id: ProjectId) -> None:
        self._client = client
        self._project_id = project_id

    def observations(self, trace_ids: Sequence[str], placed: tuple[datetime, datetime] | None = None) -> pa.Table:
        """Every observation of the traces, as `tables.OBSERVATIONS`; with `placed`, those that lie in these days.

        Ids next to each other lie next to each other: give them sorted. Raises Unavailable.
        """
        return self._read("observations", "trace_id", trace_ids, placed=placed)

    def scores(self, ids: Sequence[str]) -> pa.Table:
        """The scores of these ids, as `tables.SCORES`. Raises Unavailable."""
        return self._read("scores", "id", ids)

    def traces(self, ids: Sequence[str]) -> pa.Table:
        """The rows of these traces, as `tables.TRACES`. Raises Unavailable."""
        return self._read("traces", "id", ids)

    def _read(
        self, table: str, column: str, ids: Sequence[str], *, placed: tuple[datetime, datetime] | None = None
    ) -> pa.Table:
        schema = tables.CLICKHOUSE_TABLES[table]
        sql = (
            f"SELECT {', '.join(schema.names)} FROM {table} FINAL"  # noqa: S608 - names of ours
            f" WHERE project_id = {{project:String}} AND {column} IN {{ids:Array(String)}}"
        )
        parameters: dict[str, Any] = {"project": self._project_id}
        if placed is not None:
            sql += " AND toDate(placed_at) BETWEEN toDate({first:DateTime64(6, 'UTC')})"
            sql += " AND toDate({last:DateTime64(6, 'UTC')})"
            parameters |= {"first": placed[0], "last": placed[1]}
        found = [schema.empty_table()]
        for portion in portions(ids):
            try:
                found.append(
                    self._client.get().query_arrow(sql, parameters={**parameters, "ids": portion}).cast(schema)
                )
            except _AWAY as error:
                raise Unavailable("ClickHouse", _RETRY_AFTER_SECONDS) from error
        return pa.concat_tables(found)

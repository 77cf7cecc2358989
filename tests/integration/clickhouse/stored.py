"""A migrated ClickHouse database whose rows a test inserts, for a project that no other test uses."""

import uuid
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from heliograph.domain.identifiers import ProjectId
from heliograph.settings import Settings
from storage.clickhouse.connection import ClickHouse, connect_blocking
from storage.clickhouse.deferred import DeferredClient
from storage.clickhouse.writer import Writer
from tests import factories

Rows = Iterable[dict[str, Any]]


class Stored:
    """What lies in ClickHouse for one project."""

    def __init__(self, settings: Settings) -> None:
        self.project_id = ProjectId(uuid.uuid4().hex)
        self.clickhouse = ClickHouse(settings.clickhouse, settings.clickhouse_url)
        self._writer = Writer(DeferredClient(lambda: connect_blocking(settings.clickhouse, settings.clickhouse_url)))

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        """Insert rows of the factories as a lane would, in one insert."""
        self.insert_table(table, factories.table(table, rows))

    def insert_table(self, table: str, rows: pa.Table) -> None:
        """Insert rows that are an Arrow table already."""
        self._writer.insert(table, rows)

    def observation(self, trace_id: str, observation_id: str, **values: Any) -> dict[str, Any]:
        """A row of the project."""
        return factories.observation(self.project_id, trace_id, observation_id, **values)

    def trace(self, trace_id: str, **values: Any) -> dict[str, Any]:
        """A row of the project."""
        return factories.trace(self.project_id, trace_id, **values)

    def score(self, score_id: str, **values: Any) -> dict[str, Any]:
        """A row of the project."""
        return factories.score(self.project_id, score_id, **values)

"""Events of the dashboard that go straight into ClickHouse: what the lanes do, without their log and their merging."""

import asyncio
from collections.abc import Sequence
from typing import Any

from actors.intake import Intake, project_rules
from dashboard.own_events import OwnEvents
from heliograph.domain.deletions import Deletion, SubjectType
from heliograph.domain.events import MappedBatch
from heliograph.domain.identifiers import ProjectId
from heliograph.settings import Settings
from storage.clickhouse.connection import connect_blocking
from storage.postgres.connection import Database
from storage.postgres.deletions import Deletions
from tests import factories


class StoredAtOnce:
    """Appends whose rows can be read when they return; of traces those that their root observation tells of."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def append(self, batch: MappedBatch) -> None:
        await asyncio.to_thread(self._insert, batch)

    def _insert(self, batch: MappedBatch) -> None:
        scores = [factories.score(**_own(row, "id", "score_id")) for row in _rows(batch.scores)]
        observations = [factories.observation(**_own(row, "id", "observation_id")) for row in _rows(batch.observations)]
        traces = [_trace(row) for row in _rows(batch.observations) if not row["parent_observation_id"]]
        client = connect_blocking(self._settings.clickhouse, self._settings.clickhouse_url)
        for name, rows in (("scores", scores), ("observations", observations), ("traces", traces)):
            if rows:
                client.insert_arrow(name, factories.table(name, rows))
        client.close()


class NotedOnly:
    """Requests to delete that PostgreSQL knows of, and that no lane carries out."""

    def __init__(self, database: Database) -> None:
        self._deletions = Deletions(database)

    async def accept(
        self, project_id: ProjectId, subject_type: SubjectType, subjects: Sequence[str], *, requested_by: str
    ) -> Deletion:
        return await self._deletions.request(
            project_id, subject_type, list(subjects), requested_by=requested_by, lanes=[]
        )


def stored_events(settings: Settings, database: Database) -> OwnEvents:
    """The way of events in a test."""
    at_once = StoredAtOnce(settings)

    async def connect() -> StoredAtOnce:
        return at_once

    return OwnEvents(Intake(project_rules(settings, database), connect), NotedOnly(database))


def _rows(table: Any) -> list[dict[str, Any]]:
    return list(table.drop_columns(["record"]).to_pylist())


def _own(row: dict[str, Any], name: str, parameter: str) -> dict[str, Any]:
    """A row as the factory's parameters name it."""
    return {parameter: row[name], **{key: value for key, value in row.items() if key != name and value is not None}}


def _trace(root: dict[str, Any]) -> dict[str, Any]:
    return factories.trace(
        root["project_id"], root["trace_id"], timestamp=root["start_time"], name=root["name"],
        environment=root["environment"], root_observation_id=root["id"], observation_count=1,
    )  # fmt: skip

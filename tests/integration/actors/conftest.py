"""A lane of its own for every test."""

import uuid
from collections.abc import AsyncIterator

import pytest

from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.settings import Settings
from storage.clickhouse.connection import connect_blocking
from storage.clickhouse.deferred import DeferredClient
from storage.postgres.connection import Database
from tests.integration.actors.lane_bench import Bench


@pytest.fixture
async def bench(migrated: Settings) -> AsyncIterator[Bench]:
    database = Database(migrated.postgres_dsn)
    clickhouse = DeferredClient(lambda: connect_blocking(migrated.clickhouse, migrated.clickhouse_url))
    number = LaneNumber(uuid.uuid4().int % 10**6)
    yield Bench(migrated, clickhouse, database, number, ProjectId(uuid.uuid4().hex))
    await database.close()

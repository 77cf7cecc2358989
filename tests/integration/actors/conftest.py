"""A lane of its own for every test."""

import uuid
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

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


@pytest.fixture
async def owned(bench: Bench) -> AsyncIterator[Bench]:
    """The bench's lane owns the bench's project under the map in force."""
    publish = text(
        "INSERT INTO lane_map (version, count, dedicated) SELECT max(version) + 1, max(count), "
        "jsonb_build_object(CAST(:project AS text), jsonb_build_array(CAST(:lane AS int))) FROM lane_map"
    )
    withdraw = text("DELETE FROM lane_map WHERE dedicated ? :project")
    async with bench.database.transaction() as session:
        await session.execute(publish, {"project": bench.project_id, "lane": bench.number})
    yield bench
    async with bench.database.transaction() as session:
        await session.execute(withdraw, {"project": bench.project_id})

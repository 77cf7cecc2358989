"""A lane's log on the real stores."""

from collections.abc import AsyncIterator

import pytest

from heliograph.settings import Settings
from storage.postgres.connection import Database
from tests.integration.actors.conftest import bench, owned
from tests.integration.pipelines.lane_logs import LaneLog

__all__ = ["bench", "owned"]


@pytest.fixture
async def lane(migrated: Settings) -> AsyncIterator[LaneLog]:
    database = Database(migrated.postgres_dsn)
    made = LaneLog(migrated, database)
    await made.take_over()
    yield made
    await database.close()

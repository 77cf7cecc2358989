"""A lane's log on the real stores, and the command line over them."""

from collections.abc import AsyncIterator, Callable

import pytest
import typer
from typer.testing import CliRunner, Result

from heliograph.settings import Settings
from operations.commands import registry
from storage.postgres.connection import Database
from tests.integration.pipelines.lane_logs import LaneLog


@pytest.fixture
async def lane(migrated: Settings) -> AsyncIterator[LaneLog]:
    database = Database(migrated.postgres_dsn)
    made = LaneLog(migrated, database)
    await made.take_over()
    yield made
    await database.close()


@pytest.fixture
def heliograph(migrated: Settings) -> Callable[..., Result]:
    """Run a command; from an asynchronous test in a thread, since commands have loops of their own."""
    app = typer.Typer()
    registry.register(app)
    environment = {"HELIOGRAPH_DATA_DIR": str(migrated.data), "HELIOGRAPH_PORT": str(migrated.port), "COLUMNS": "200"}

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(one) for one in arguments], env=environment)

    return run

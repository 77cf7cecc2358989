"""A database of these tests' own."""

import uuid
from collections.abc import AsyncIterator

import pytest

from heliograph.settings import Settings
from migrations.columnar import Columnar
from tests.integration.clickhouse.stored import Stored


@pytest.fixture(scope="session")
def columnar(engines: Settings) -> Settings:
    database = {"database": f"tests_{uuid.uuid4().hex}"}
    settings = engines.model_copy(update={"clickhouse": engines.clickhouse.model_copy(update=database)})
    Columnar(settings.clickhouse, settings.clickhouse_url).upgrade()
    return settings


@pytest.fixture
async def stored(columnar: Settings) -> AsyncIterator[Stored]:
    stored = Stored(columnar)
    yield stored
    await stored.clickhouse.close()

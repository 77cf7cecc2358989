"""A freshly migrated database for these tests."""

import uuid
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import make_url

from heliograph.domain.access import Project
from heliograph.settings import Settings
from migrations.relational import Relational
from storage.postgres.connection import Database
from storage.postgres.projects import Projects
from tests.integration.postgres.relay import Relay

PEPPER = "pepper of the tests"


@pytest.fixture(scope="module")
def dsn(engines: Settings) -> str:
    postgres = engines.postgres.model_copy(update={"database": f"tests_{uuid.uuid4().hex}"})
    address = engines.model_copy(update={"postgres": postgres}).postgres_dsn
    Relational(address).upgrade(lanes=2)
    return address


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    database = Database(dsn)
    yield database
    await database.close()


@pytest.fixture
async def project(database: Database) -> Project:
    return await Projects(database).create(f"project {uuid.uuid4()}", organization_name="The organization")


@pytest.fixture
async def relay(dsn: str) -> AsyncIterator[Relay]:
    url = make_url(dsn)
    relay = Relay(str(url.host), int(url.port or 0))
    await relay.open()
    yield relay
    await relay.cut()

"""The API does what it says of itself: requests made from its own description meet no 5xx and no surprise."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from heliograph.domain.access import Project
from heliograph.settings import LOOPBACK, Settings
from serve_apps.query_api import query_application
from storage.postgres.connection import Database
from storage.postgres.projects import Projects
from tests.integration.api.conftest import SECRET, OneKey, TombstonesInMemory, deletion_requests, query_dependencies
from tests.unit.serve_apps.doors import free_port

KEY = ("pk-lf-1", SECRET)


async def _project(settings: Settings) -> Project:
    database = Database(settings.postgres_dsn)
    made = await Projects(database).create("described", organization_name="The organization that is described")
    await database.close()
    return made


@pytest.fixture(scope="module")
def url(settings: Settings) -> Iterator[str]:
    """The query API behind a server of its own."""
    database = Database(settings.postgres_dsn)
    deletes = deletion_requests(database, TombstonesInMemory())
    keys = OneKey(asyncio.run(_project(settings)))
    app = query_application(query_dependencies(settings, database, keys, deletes=deletes))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host=LOOPBACK, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://{LOOPBACK}:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def described(url: str) -> Any:
    """The description, as it is served; the ingestion doors are another application, agents' protocol another's."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", wait_for_schema=60)
    # A state of this server is told by a status, 503 among them.
    return schema.exclude(tag=["ingestion", "mcp", "health"])


@pytest.mark.parametrize("examples", [1, pytest.param(15, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_requests_from_the_description_are_answered_as_it_says(described: Any, examples: int) -> None:
    wrong = {}
    for found in described.get_all_operations():
        operation = found.ok()
        try:
            ask(operation, examples)
        except BaseExceptionGroup as shown:
            wrong[operation.label] = "\n".join(map(str, [shown.message, *shown.exceptions]))
    assert wrong == {}, "\n\n".join(f"{label}: {reason}" for label, reason in wrong.items())


def ask(operation: Any, examples: int) -> None:
    """Make so many requests of one operation; raises whatever they show."""

    @given(case=operation.as_strategy())
    @hypothesis_settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    def each(case: Any) -> None:
        # What belongs together across fields is no part of a schema, so some that keep to it are refused.
        case.call_and_validate(auth=KEY, excluded_checks=[positive_data_acceptance])

    each()

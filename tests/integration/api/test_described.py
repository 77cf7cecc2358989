"""The API does what it says of itself: requests made from its own description meet no 5xx and no surprise."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from heliograph.settings import LOOPBACK, Settings
from serve_apps.query_api import query_application
from storage.postgres.connection import Database
from storage.postgres.key_cache import KeyCache
from tests.integration.api.access.contents import full_tenant
from tests.integration.api.access.requests import parameters, words
from tests.integration.api.access.routes import MOUNT, Access, Route
from tests.integration.api.access.tenants import Tenant, doors
from tests.integration.api.conftest import (
    ADMIN_KEY,
    TombstonesInMemory,
    administration,
    deletion_requests,
    query_dependencies,
)
from tests.unit.serve_apps.doors import free_port

# What belongs together across fields is no part of a schema, so some that keep to it are refused; and a parameter that
# nothing knows, or a number as text, is taken.
_UNCHECKED = [positive_data_acceptance, negative_data_rejection]
# What is read comes first, what ends the tenant last.
_ORDER = ("get", "post", "patch", "put", "delete")
_LAST = ("/scim", "/organizations", "/projects", "/heliograph-admin")


async def _filled(settings: Settings) -> Tenant:
    async with doors(settings) as opened:
        return await full_tenant(opened)


@pytest.fixture(scope="module")
def tenant(settings: Settings) -> Tenant:
    """A tenant that has something of everything."""
    return asyncio.run(_filled(settings))


@pytest.fixture(scope="module")
def url(settings: Settings) -> Iterator[str]:
    """The query API behind a server of its own."""
    database = Database(settings.postgres_dsn)
    keys = KeyCache(administration(database).api_keys)
    deletes = deletion_requests(database, TombstonesInMemory())
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


@dataclass
class Asker:
    """Makes requests of operations on behalf of a tenant, and counts the answers by operation and status.

    The first request has the body that the description shows. A third of the others name what the tenant has, so that
    some of each kind succeed, and a third break the schema.
    """

    tenant: Tenant
    answers: dict[str, Counter[int]] = field(default_factory=dict)

    def ask(self, operation: Any, examples: int) -> None:
        """Make so many requests of one operation; raises whatever they show."""
        route = Route(operation.method.upper(), MOUNT + operation.path, operation.definition.raw)
        counted = self.answers.setdefault(operation.label, Counter())
        for strategy, share in self._strategies(operation, route, examples):

            @given(case=strategy)
            @hypothesis_settings(
                max_examples=share, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
            )
            def each(case: Any) -> None:
                response = case.call_and_validate(excluded_checks=_UNCHECKED, **self._authorization(route))
                counted[response.status_code] += 1

            # An operation without anything that could be wrong has no request that breaks its schema.
            with suppress(Unsatisfiable):
                each()

    def _strategies(self, operation: Any, route: Route, examples: int) -> Iterator[tuple[st.SearchStrategy[Any], int]]:
        named = {name.rpartition(".")[2]: self.tenant.ids[name] for name in route.names}
        owned: st.SearchStrategy[Any] = operation.as_strategy(
            path_parameters=named or None, query=parameters(route, self.tenant) or None
        )
        yield owned.map(lambda case: self._as_described(case, route)), 1
        third = examples // 3
        if third:
            yield owned.map(self._with_words), third
            yield operation.as_strategy(), third
            yield operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), examples - 2 * third - 1

    def _as_described(self, case: Any, route: Route) -> Any:
        """The case with the body that the description has as its example."""
        content = route.operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" in content:
            case.body = content["example"]
        return self._with_words(case)

    def _with_words(self, case: Any) -> Any:
        """The case with a body that names what the tenant has, where its fields do."""
        if isinstance(case.body, dict):
            known = words(self.tenant)
            case.body = {name: known.get(name, value) for name, value in case.body.items()}
        return case

    def _authorization(self, route: Route) -> dict[str, Any]:
        match route.access:
            case Access.ADMINISTRATOR:
                return {"headers": {"Authorization": f"Bearer {ADMIN_KEY}"}}
            case Access.ORGANIZATION:
                key = self.tenant.organization_key
            case _:
                key = self.tenant.key
        return {"auth": (key.public_key, key.secret_key)}

    def table(self) -> str:
        """How many answers of each operation had which status."""
        rows = [f"{label:75} {dict(sorted(counted.items()))}" for label, counted in self.answers.items()]
        total = sum((counted for counted in self.answers.values()), Counter[int]())
        return "\n".join([*rows, f"{total.total()} requests: {dict(sorted(total.items()))}"])


def _place(operation: Any) -> tuple[bool, int, int]:
    is_last = operation.path.startswith(_LAST)
    # What lies deeper goes before what holds it.
    return is_last, _ORDER.index(operation.method), -operation.path.count("/")


@pytest.mark.parametrize("examples", [1, pytest.param(15, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_requests_from_the_description_are_answered_as_it_says(described: Any, tenant: Tenant, examples: int) -> None:
    asker, wrong = Asker(tenant), {}
    for operation in sorted((found.ok() for found in described.get_all_operations()), key=_place):
        try:
            asker.ask(operation, examples)
        except BaseExceptionGroup as shown:
            wrong[operation.label] = "\n".join(map(str, [shown.message, *shown.exceptions]))
    print(asker.table())
    assert wrong == {}, "\n\n".join(f"{label}: {reason}" for label, reason in wrong.items())
    assert sum(any(status < 300 for status in counted) for counted in asker.answers.values()) > len(asker.answers) // 2

"""Every route of the contract does what it is asked rightly, and refuses what breaks its description."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx
import pytest

from heliograph.settings import Settings
from tests.compatibility.contract import GENERATIONS
from tests.integration.api.access import requests
from tests.integration.api.access.contents import full_tenant
from tests.integration.api.access.right_requests import Sent, changes, deletions
from tests.integration.api.access.routes import MOUNT, Access, Route, document, ingest_routes, query_routes
from tests.integration.api.access.tenants import Doors, Tenant, doors
from tests.integration.api.conftest import ADMIN_KEY

ROUTES = [*query_routes(), *ingest_routes()]
CONTRACT = {line for listed in GENERATIONS.values() for line in listed.split("\n") if line}
BY_LINE = {route.line: route for route in ROUTES}


@pytest.fixture
async def served(settings: Settings) -> AsyncIterator[Doors]:
    async with doors(settings) as opened:
        yield opened


class Asking:
    """A tenant before the doors, and which routes have done what they were asked."""

    def __init__(self, served: Doors, tenant: Tenant) -> None:
        self._served = served
        self._tenant = tenant
        self.done: set[str] = set()
        self.wrong: dict[str, tuple[int, str]] = {}

    async def ask(self, route: Route, **request: Any) -> httpx.Response:
        """The answer to a request with the key that the route wants."""
        who = self._tenant
        auth = who.organization_auth if route.access is Access.ORGANIZATION else who.auth
        admin = {"authorization": f"Bearer {ADMIN_KEY}"} if route.access is Access.ADMINISTRATOR else {}
        own = None if admin else auth
        headers = {**request.pop("headers", {}), **admin}
        return await self._served.ask(route, own, ids=who.ids, headers=headers, **request)

    async def send(self, sent: Sent) -> None:
        """Send one of the right requests, and note what came of it."""
        route = BY_LINE[sent.route]
        body = {} if sent.json is None else {"json": sent.json}
        self._note(route, answer := await self.ask(route, params=sent.params, headers=sent.headers, **body))
        if sent.makes:
            self._tenant.ids[sent.makes] = answer.json()["id"]

    async def read(self, route: Route) -> None:
        """Read what the tenant has, and note what came of it."""
        self._note(route, await self.ask(route, params=requests.parameters(route, self._tenant)))

    def _note(self, route: Route, answer: httpx.Response) -> None:
        told = route.operation.get("responses", {str(answer.status_code): {}})
        if answer.is_success and str(answer.status_code) in told:
            self.done.add(route.line)
        else:
            self.wrong[str(route)] = (answer.status_code, answer.text[:300])


async def test_every_route_does_what_it_is_asked_rightly(served: Doors) -> None:
    """Those that `contents.py` has used are done, too; a new route needs a request in `right_requests.py`."""
    created: set[str] = set()

    async def note(answer: httpx.Response) -> None:
        if answer.is_success:
            created.add(_line(answer.request.method, answer.request.url.path))

    served.query.event_hooks["response"].append(note)
    tenant = await full_tenant(served)
    served.query.event_hooks["response"].clear()
    asking = Asking(served, tenant)

    for sent in changes(tenant):
        await asking.send(sent)
    for route in ROUTES:
        if route.method == "GET":
            await asking.read(route)
    for sent in deletions(tenant):
        await asking.send(sent)

    assert asking.wrong == {}
    assert CONTRACT - asking.done - created == set()


def _line(method: str, path: str) -> str:
    """The contract's line of the route that has answered; what has fewer names in its path comes first."""
    fitting = [each for each in ROUTES if each.method == method and _pattern(each).fullmatch(MOUNT + path)]
    return min(fitting, key=lambda route: len(route.names)).line


def _pattern(route: Route) -> re.Pattern[str]:
    return re.compile(re.sub(r"{\w+}", "[^/]+", route.path))


async def test_every_route_refuses_what_breaks_its_description(served: Doors) -> None:
    asking = Asking(served, await full_tenant(served))
    wrong = {}
    for route in query_routes():
        for broken in breaking(route):
            answer = await asking.ask(route, **broken)
            if answer.status_code != 400:
                wrong[f"{route} {broken}"] = (answer.status_code, answer.text[:200])
    assert wrong == {}


def breaking(route: Route) -> Iterator[dict[str, Any]]:
    """Requests of which one part is of another type than the route says."""
    required = {each["name"]: "1" for each in _query(route) if each["required"]}
    if "requestBody" in route.operation:
        yield {"json": "nonsense", "params": required}
        yield {"content": b"{", "headers": {"content-type": "application/json"}, "params": required}
    for parameter in _query(route):
        if _is_typed(parameter["schema"]):
            yield {"params": required | {parameter["name"]: "nonsense"}}
    for name in required:
        yield {"params": {other: text for other, text in required.items() if other != name}}


def _query(route: Route) -> list[dict[str, Any]]:
    return [each for each in route.operation.get("parameters", []) if each["in"] == "query"]


def _is_typed(schema: Mapping[str, Any]) -> bool:
    """Whether a word that nobody has thought of breaks it."""
    if "$ref" in schema:
        return _is_typed(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return all(_is_typed(each) for each in schema["anyOf"])
    return schema.get("type") in {"integer", "number", "boolean", "null"} or bool({"enum", "format"} & schema.keys())

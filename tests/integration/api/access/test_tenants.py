"""No answer holds what another tenant has, and nothing that another tenant asks changes it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from heliograph.settings import Settings
from tests.integration.api.access import requests
from tests.integration.api.access.contents import full_tenant
from tests.integration.api.access.routes import Access, Route, document, query_routes
from tests.integration.api.access.tenants import Doors, Tenant, doors, empty_tenant

ROUTES = query_routes()
READS = [route for route in ROUTES if route.method == "GET"]

# Reads in which the owner's own mark is not: constants, states, figures, what is the server's, and what has no text.
UNMARKED = {
    "GET /api/public/health",
    "GET /api/public/heliograph-admin/feedback",
    "GET /api/public/heliograph-admin/organizations",
    "GET /api/public/heliograph-admin/organizations/{organization_id}",
    "GET /api/public/heliograph-admin/organizations/{organization_id}/apiKeys",
    "GET /api/public/integrations/blob-storage/{integration_id}",
    "GET /api/public/media/{media_id}",
    "GET /api/public/metrics/daily",
    "GET /api/public/organizations/apiKeys",
    "GET /api/public/ready",
    "GET /api/public/scim/ResourceTypes",
    "GET /api/public/scim/Schemas",
    "GET /api/public/scim/ServiceProviderConfig",
}


# A deletion of what is not there is one that was done before.
DONE_ALREADY = {"DELETE /api/public/traces/{trace_id}": 200, "DELETE /api/public/scores/{score_id}": 202}
# Words of the API itself, which no tenant owns.
NOT_OWNED = {"data.table", "evaluation-runs.number", "evaluation-runs.turn"}


@dataclass(frozen=True)
class Two:
    """The doors, a tenant that has something of everything, and one that has nothing."""

    doors: Doors
    owner: Tenant
    stranger: Tenant

    async def ask(self, route: Route, who: Tenant) -> httpx.Response:
        """The answer to a request that names what the owner has, under somebody's key."""
        auth = who.organization_auth if route.access is Access.ORGANIZATION else who.auth
        return await self.doors.ask(
            route,
            auth,
            ids=self.owner.ids,
            params=requests.parameters(route, self.owner),
            json=requests.body(route, document()["components"]["schemas"], self.owner),
        )

    async def owned(self) -> dict[str, str]:
        """Whatever the owner reads."""
        return {str(route): (await self.ask(route, self.owner)).text for route in READS}


@pytest.fixture
async def two(settings: Settings) -> AsyncIterator[Two]:
    async with doors(settings) as opened:
        yield Two(opened, await full_tenant(opened), await empty_tenant(opened.database))


async def test_an_owner_has_something_behind_every_route(two: Two) -> None:
    """Without it the next test would say nothing: a new route needs something in `contents.py`."""
    assert {name for route in ROUTES for name in route.names} - two.owner.ids.keys() == set()
    seen = await two.owned()
    of_owner = (two.owner.mark, two.owner.word)
    assert {route for route, text in seen.items() if not any(each in text for each in of_owner)} == UNMARKED


async def test_a_stranger_neither_sees_nor_changes_what_an_owner_has(two: Two) -> None:
    before = await two.owned()
    for route in ROUTES:
        if route.access is Access.OPEN:
            continue
        answer = await two.ask(route, two.stranger)
        sent = str(answer.request.url) + answer.request.content.decode()
        assert two.owner.mark not in answer.text, str(route)
        assert two.owner.word not in answer.text or two.owner.word in sent, str(route)
        assert answer.status_code < 500, (str(route), answer.text)
        if route.access is not Access.ADMINISTRATOR and set(route.names) - NOT_OWNED:
            # A body that is wrong is refused whoever owns what the path names.
            is_refused = answer.status_code in ({404, 400} if "requestBody" in route.operation else {404})
            assert is_refused or answer.status_code == DONE_ALREADY.get(str(route)), (str(route), answer.text)
    assert await two.owned() == before

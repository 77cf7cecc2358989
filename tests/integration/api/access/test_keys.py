"""Every route, and every kind of key: each answers with exactly the status of the contract."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest

from heliograph.settings import Settings
from tests.integration.api.access.routes import Access, Route, ingest_routes, query_routes
from tests.integration.api.access.tenants import Doors, Tenant, doors, empty_tenant, ended_keys
from tests.integration.api.conftest import ADMIN_KEY

ROUTES = [*query_routes(), *ingest_routes()]
LET_IN = 0

# By kind of key: the status where it is not let in. What is absent is let in.
_OF_PROJECTS = {"organization": 403, "public key": 403, "admin key": 401}
_NOBODY = dict.fromkeys(("nothing", "wrong secret", "unknown", "revoked", "expired", "malformed", "other scheme"), 401)
REFUSED: Mapping[Access, Mapping[str, int]] = {
    Access.OPEN: {},
    Access.PROJECT: _NOBODY | _OF_PROJECTS,
    Access.ADMINISTRATED: _NOBODY | _OF_PROJECTS,
    Access.SCORES: _NOBODY | {"organization": 403, "admin key": 401},
    Access.INGESTION: _NOBODY | {"organization": 401, "admin key": 401},
    Access.ORGANIZATION: _NOBODY | {"project": 403, "public key": 403, "admin key": 403},
    Access.ADMINISTRATOR: _NOBODY | {"project": 401, "organization": 401, "public key": 401},
}
# A few for every run of the tests; together the kinds take most of a minute.
SAMPLE = ["nothing", "revoked", "organization", "public key"]
KINDS = [*_NOBODY, "project", "organization", "public key", "admin key", "admin key for a project"]


async def credentials(tenant: Tenant, doors: Doors) -> dict[str, dict[str, str]]:
    """The headers of every kind of caller."""
    revoked, expired = await ended_keys(tenant, doors.database)
    key, organization = tenant.key, tenant.organization_key
    pairs = {
        "wrong secret": (key.public_key, "sk-lf-wrong"),
        "unknown": ("pk-lf-unknown", key.secret_key),
        "revoked": (revoked.public_key, revoked.secret_key),
        "expired": (expired.public_key, expired.secret_key),
        "project": (key.public_key, key.secret_key),
        "organization": (organization.public_key, organization.secret_key),
    }
    admin = {"authorization": f"Bearer {ADMIN_KEY}"}
    named = {"x-langfuse-admin-api-key": ADMIN_KEY, "x-langfuse-project-id": tenant.project.id}
    return {
        "nothing": {},
        "malformed": {"authorization": "Basic no base64!"},
        "other scheme": {"authorization": f"Digest {key.secret_key}"},
        "public key": {"authorization": f"Bearer {key.public_key}"},
        "admin key": admin,
        "admin key for a project": admin | named,
        **{
            kind: {"authorization": f"Basic {b64encode(':'.join(pair).encode()).decode()}"}
            for kind, pair in pairs.items()
        },
    }


def _basic(public_key: str, secret_key: str) -> str:
    return f"Basic {b64encode(f'{public_key}:{secret_key}'.encode()).decode()}"


@pytest.fixture
async def served(settings: Settings) -> AsyncIterator[Doors]:
    async with doors(settings) as opened:
        yield opened


def expected(route: Route, kind: str) -> int:
    """The contract's status, or LET_IN."""
    if kind == "admin key for a project":
        return LET_IN if route.access is Access.ADMINISTRATED else REFUSED[route.access].get("admin key", LET_IN)
    return REFUSED[route.access].get(kind, LET_IN)


def told(answer: httpx.Response) -> int:
    """The status of a refusal, or LET_IN for whatever comes after it; a defect of ours stays one."""
    return answer.status_code if answer.status_code in {401, 403} or answer.status_code >= 500 else LET_IN


@pytest.mark.parametrize(
    "kind", [kind if kind in SAMPLE else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
async def test_a_key_opens_exactly_the_routes_of_the_contract(served: Doors, kind: str) -> None:
    tenant = await empty_tenant(served.database)
    headers = (await credentials(tenant, served))[kind]
    wrong = {}
    for route in ROUTES:
        answer = await served.ask(route, None, headers=headers)
        if told(answer) != expected(route, kind):
            wrong[str(route)] = (answer.status_code, answer.text[:200])
    assert wrong == {}


async def test_a_refusal_says_what_to_do_and_nothing_else(served: Doors) -> None:
    for route in ROUTES:
        if route.access is Access.OPEN:
            continue
        answer = await served.ask(route, httpx.BasicAuth("pk-lf-unknown", "sk-lf-unknown"))
        body = answer.json()
        said = body.get("message", body.get("detail"))
        assert "Confirm that you've configured the correct host" in said, str(route)
        of_unstable = {"message", "code"}
        assert set(body) in ({"message"}, {"schemas", "detail", "status"}, of_unstable), str(route)
        assert "basic" in answer.headers["www-authenticate"].lower()

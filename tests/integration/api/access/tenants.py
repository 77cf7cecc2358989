"""Two tenants on the real stores, whose every thing holds a mark by which it is recognised wherever it turns up."""

import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from heliograph.domain.access import IssuedKey, OfOrganization, Project
from heliograph.domain.identifiers import OrganizationId
from heliograph.settings import Settings
from serve_apps.ingest.application import ingest_application
from serve_apps.ingest.dependencies import IngestDependencies
from serve_apps.query_api import query_application
from storage.postgres.connection import Database
from storage.postgres.key_cache import KeyCache
from storage.postgres.projects import Projects
from tests.integration.api.access.routes import MOUNT, Route
from tests.integration.api.conformance import observed
from tests.integration.api.conftest import (
    TombstonesInMemory,
    administration,
    deletion_requests,
    query_dependencies,
)
from tests.unit.serve_apps.doors import KeptInMemory, StoredInMemory


@dataclass
class Tenant:
    """A project with its organization, one key pair of each, and what lies in it.

    Attributes:
        mark: in the contents of everything, and in no name or id: no answer to anybody else holds it.
        word: in names and ids: no answer holds it to anybody who has not said it first.
        ids: what stands for the names in braces of a path, as `comments.comment_id`.
    """

    project: Project
    key: IssuedKey
    organization_key: IssuedKey
    mark: str = field(default_factory=lambda: f"mark-{uuid.uuid4().hex}")
    word: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def auth(self) -> httpx.BasicAuth:
        return httpx.BasicAuth(self.key.public_key, self.key.secret_key)

    @property
    def organization_auth(self) -> httpx.BasicAuth:
        return httpx.BasicAuth(self.organization_key.public_key, self.organization_key.secret_key)


@dataclass(frozen=True)
class Doors:
    """Both applications, reached as HAProxy joins them, and the stores behind them."""

    query: httpx.AsyncClient
    ingest: httpx.AsyncClient
    database: Database
    settings: Settings

    def of(self, route: Route) -> httpx.AsyncClient:
        """The client in front of the application that has the route."""
        return self.query if route.operation else self.ingest

    async def ask(self, route: Route, auth: httpx.Auth | None, **request: Any) -> httpx.Response:
        """The answer to a request; what stands in braces is a word unless `ids` tells."""
        path = path_of(route, request.pop("ids", {}))
        path = path.removeprefix(MOUNT) if route.operation else path
        return await self.of(route).request(route.method, path, auth=auth or httpx.Auth(), **request)


def path_of(route: Route, ids: dict[str, str]) -> str:
    """The path with ids in it."""
    nouns = iter(route.names)
    return re.sub(r"{\w+}", lambda _: ids.get(next(nouns), "1"), route.path)


@asynccontextmanager
async def doors(settings: Settings) -> AsyncIterator[Doors]:
    """Both applications with real keys; what they ingest stays in memory."""
    database = Database(settings.postgres_dsn)
    deletes = deletion_requests(database, TombstonesInMemory())
    keys = KeyCache(administration(database).api_keys)
    dependencies = query_dependencies(settings, database, keys, deletes=deletes)
    application = query_application(dependencies)
    violations = observed(application)
    query = httpx.ASGITransport(application)
    ingest = httpx.ASGITransport(ingest_application(IngestDependencies(keys, KeptInMemory(), StoredInMemory())))
    async with (
        httpx.AsyncClient(transport=query, base_url="http://here") as reading,
        httpx.AsyncClient(transport=ingest, base_url="http://here") as sending,
    ):
        yield Doors(reading, sending, database, settings)
    await dependencies.clickhouse.close()
    await database.close()
    assert violations == [], violations


async def empty_tenant(database: Database) -> Tenant:
    """A new organization with one project, and their keys."""
    name = f"tenant {uuid.uuid4()}"
    project = await Projects(database).create(name, organization_name=f"organization of {name}")
    api_keys = administration(database).api_keys
    owner = OfOrganization(OrganizationId(project.organization_id))
    return Tenant(project, await api_keys.create(project.id), await api_keys.create(owner))


async def ended_keys(tenant: Tenant, database: Database) -> tuple[IssuedKey, IssuedKey]:
    """A revoked key of the tenant, and an expired one."""
    api_keys = administration(database).api_keys
    revoked = await api_keys.create(tenant.project.id)
    await api_keys.revoke(revoked.public_key)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return revoked, await api_keys.create(tenant.project.id, expires_at=yesterday)

"""The query API on migrated databases, reached through its front door."""

import ipaddress
import uuid
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import httpx
import pytest
from fastapi import FastAPI

from actors.deletion_requests import DeletionRequests
from heliograph.domain.access import KeyScope, Principal, Project
from heliograph.domain.errors import KeyUnknown
from heliograph.domain.events import MappedBatch
from heliograph.domain.identifiers import ApiKeyId, LaneNumber
from heliograph.outbound import Outbound
from heliograph.settings import Settings
from migrations.columnar import Columnar
from migrations.relational import Relational
from serve_apps.api.dependencies import Administration, Deletes, NoPayloads, QueryDependencies, StoredPayloads
from serve_apps.authentication import Keys
from serve_apps.query_api import query_application
from storage.clickhouse.connection import ClickHouse
from storage.objects.connection import connect
from storage.objects.exports import ExportObjects
from storage.objects.media import MediaObjects
from storage.objects.payloads import PayloadObjects
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.deletions import Deletions
from storage.postgres.lanes import LaneRegistry
from storage.postgres.projects import Projects
from storage.postgres.prompt_cache import PromptCache
from storage.seal import Seal
from tests.integration.api.conformance import observed
from tests.integration.clickhouse.stored import Stored

SECRET = "sk-lf-right"
ORGANIZATION_KEY = "pk-lf-organization"
ADMIN_KEY = "key-of-the-administrator"


class OneKey:
    """The key pair of one project, and one of its organization."""

    def __init__(self, project: Project) -> None:
        self._principal = Principal(project.id, project.organization_id, "pk-lf-1", ApiKeyId("1"), KeyScope.PROJECT)

    async def principal(self, public_key: str, secret: str) -> Principal:
        if secret != SECRET:
            raise KeyUnknown
        return await self.public_principal(public_key)

    async def public_principal(self, public_key: str) -> Principal:
        if public_key == ORGANIZATION_KEY:
            return replace(self._principal, public_key=public_key, scope=KeyScope.ORGANIZATION)
        if public_key != self._principal.public_key:
            raise KeyUnknown
        return self._principal


@dataclass
class TombstonesInMemory:
    """Keeps what is appended to the lanes."""

    kept: dict[LaneNumber, MappedBatch] = field(default_factory=dict)

    async def append_to(self, batches: Mapping[LaneNumber, MappedBatch], /) -> None:
        self.kept.update(batches)


@dataclass(frozen=True)
class Api:
    """The application, a client of it with the project's key, and what lies in the stores."""

    app: FastAPI
    client: httpx.AsyncClient
    stored: Stored
    project: Project
    database: Database
    tombstones: TombstonesInMemory
    payloads: PayloadObjects


def deletion_requests(database: Database, tombstones: TombstonesInMemory) -> DeletionRequests:
    """Requests to delete, whose tombstones stay in memory."""

    async def connect() -> TombstonesInMemory:
        return tombstones

    return DeletionRequests(Deletions(database), connect, LaneRegistry(database).every_map)


def administration(database: Database, admin_key: str = ADMIN_KEY) -> Administration:
    """What the routes of administrators need; loopback may be called, and no other private network."""
    allowed = (ipaddress.ip_network("127.0.0.0/8"),)
    return Administration(ApiKeys(database, "pepper"), Seal("key of the tests"), Outbound(allowed), admin_key)


def direct_media(settings: Settings) -> MediaObjects:
    """The files of these settings, whose URLs lead to the store itself: there is no proxy before it here."""
    direct = settings.s3.model_copy(update={"public_url": settings.s3_url})
    return MediaObjects.connect(settings.model_copy(update={"s3": direct}))


def direct_exports(settings: Settings) -> ExportObjects:
    """The files of exports, likewise."""
    client = connect(settings.s3, settings.s3_url)
    return ExportObjects(client, client, settings.s3.bucket)


def query_dependencies(
    settings: Settings,
    database: Database,
    keys: Keys,
    *,
    deletes: Deletes,
    payloads: StoredPayloads | None = None,
    clickhouse: ClickHouse | None = None,
) -> QueryDependencies:
    """What the query API needs, over these stores."""
    return QueryDependencies(
        clickhouse or ClickHouse(settings.clickhouse, settings.clickhouse_url),
        database,
        keys,
        deletes,
        direct_media(settings),
        PromptCache(database),
        administration(database),
        payloads=payloads or NoPayloads(),
        exports=direct_exports(settings),
    )


@pytest.fixture(scope="session")
def settings(engines: Settings) -> Settings:
    database = {"database": f"tests_{uuid.uuid4().hex}"}
    clickhouse = engines.clickhouse.model_copy(update=database)
    Columnar(clickhouse, engines.clickhouse_url).upgrade()
    Relational(engines.postgres_dsn).upgrade(lanes=2)
    return engines.model_copy(update={"clickhouse": clickhouse})


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    database = Database(settings.postgres_dsn)
    project = await Projects(database).create(f"project {uuid.uuid4()}", organization_name="The organization")
    stored = Stored(settings)
    stored.project_id = project.id
    tombstones = TombstonesInMemory()
    deletes = deletion_requests(database, tombstones)
    payloads = PayloadObjects(connect(settings.s3, settings.s3_url), settings.s3.bucket, ThreadPoolExecutor(1))
    app = query_application(
        query_dependencies(
            settings, database, OneKey(project), deletes=deletes, payloads=payloads, clickhouse=stored.clickhouse
        )
    )
    violations = observed(app)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here", auth=("pk-lf-1", SECRET)) as client:
        yield Api(app, client, stored, project, database, tombstones, payloads)
    await stored.clickhouse.close()
    await database.close()
    assert violations == []

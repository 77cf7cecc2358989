"""Everything that an SDK talks to, in this process and over HTTP: both applications, lanes, the real engines behind."""

import asyncio
import socket
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from actors.deletion_requests import DeletionRequests
from heliograph.domain.access import OfOrganization, Role
from heliograph.domain.identifiers import LaneNumber, OrganizationId, ProjectId
from heliograph.settings import LOOPBACK, Settings
from serve_apps.ingest.application import ingest_application
from serve_apps.ingest.dependencies import IngestDependencies
from serve_apps.ingest.media import KeptMedia
from serve_apps.query_api import query_application
from storage.clickhouse.connection import ClickHouse, connect_blocking
from storage.clickhouse.deferred import DeferredClient
from storage.clickhouse.trace_ids import TraceIds
from storage.objects import connection as objects
from storage.objects.payloads import PayloadObjects
from storage.postgres.connection import Database
from storage.postgres.deletions import Deletions
from storage.postgres.key_cache import KeyCache
from storage.postgres.lanes import LaneRegistry
from storage.postgres.memberships import OrganizationMembers
from storage.postgres.projects import Projects
from storage.postgres.score_config_cache import ScoreConfigCache
from storage.postgres.users import Users
from tests.integration.actors.lane_bench import Bench
from tests.integration.actors.lane_set import lane_set
from tests.integration.api.conftest import administration, direct_media, query_dependencies

_MOUNT = "/api/public"


@dataclass(frozen=True)
class Server:
    """Where it is, and what an SDK is told: the keys of a project and of its organization, and a member's id."""

    url: str
    project: tuple[str, str]
    organization: tuple[str, str]
    user_id: str

    @property
    def environment(self) -> dict[str, str]:
        """What a user exports."""
        return {
            "LANGFUSE_BASE_URL": self.url,
            "LANGFUSE_HOST": self.url,
            "LANGFUSE_PUBLIC_KEY": self.project[0],
            "LANGFUSE_SECRET_KEY": self.project[1],
            "ORGANIZATION_PUBLIC_KEY": self.organization[0],
            "ORGANIZATION_SECRET_KEY": self.organization[1],
            "USER_ID": self.user_id,
        }


@contextmanager
def serving(settings: Settings) -> Iterator[Server]:
    """A server over migrated engines, with a project of its own; it has a loop and a thread of its own."""
    found: list[Server | BaseException] = []
    is_up, is_over = threading.Event(), threading.Event()

    async def run() -> None:
        try:
            async with _served(settings) as server:
                found.append(server)
                is_up.set()
                await asyncio.to_thread(is_over.wait)
        except BaseException as error:
            found.append(error)
            raise
        finally:
            is_up.set()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    is_up.wait()
    try:
        (server,) = found
        if isinstance(server, BaseException):
            raise server
        yield server
    finally:
        is_over.set()
        thread.join()


@asynccontextmanager
async def _served(settings: Settings) -> AsyncIterator[Server]:
    database = Database(settings.postgres_dsn)
    async with AsyncExitStack() as running:
        query, ingest = await _applications(settings, database, running)
        listener = socket.create_server((LOOPBACK, 0))
        url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        config = uvicorn.Config(_Origin(query, ingest), log_level="warning", lifespan="off", loop="uvloop")
        server = uvicorn.Server(config)
        serving_ = asyncio.create_task(server.serve([listener]))
        yield await _tenant(url, database)
        server.should_exit = True
        await serving_
    await database.close()


async def _applications(settings: Settings, database: Database, running: AsyncExitStack) -> tuple[Starlette, Starlette]:
    clickhouse = DeferredClient(lambda: connect_blocking(settings.clickhouse, settings.clickhouse_url))
    bench = Bench(settings, clickhouse, database, LaneNumber(0), ProjectId(""))
    lanes = await running.enter_async_context(lane_set(bench))
    client = await lanes.client()

    deletes = DeletionRequests(Deletions(database), lanes.client, LaneRegistry(database).every_map)
    keys = KeyCache(administration(database).api_keys)
    payloads = PayloadObjects(objects.connect(settings.s3, settings.s3_url), settings.s3.bucket, ThreadPoolExecutor(1))
    query = query_application(query_dependencies(settings, database, keys, deletes=deletes, payloads=payloads))
    ingest = ingest_application(
        IngestDependencies(
            keys,
            client,
            TraceIds(ClickHouse(settings.clickhouse, settings.clickhouse_url)),
            media=KeptMedia(database, direct_media(settings)),
            score_configs=ScoreConfigCache(database),
        )
    )
    for application in (query, ingest):
        await running.enter_async_context(application.router.lifespan_context(application))
    return query, ingest


async def _tenant(url: str, database: Database) -> Server:
    project = await Projects(database).create(f"sdk {uuid.uuid4()}", organization_name="users of SDKs")
    organization_id = OrganizationId(project.organization_id)
    user = await Users(database).create(f"{uuid.uuid4().hex}@example.org", "A Member")
    await OrganizationMembers(database, organization_id).put(user.id, Role.ADMIN)
    api_keys = administration(database).api_keys
    own, whole = await api_keys.create(project.id), await api_keys.create(OfOrganization(organization_id))
    return Server(url, (own.public_key, own.secret_key), (whole.public_key, whole.secret_key), user.id)


class _Origin:
    """Both applications at one address, joined as HAProxy joins them."""

    def __init__(self, query: ASGIApp, ingest: Starlette) -> None:
        self._query = query
        self._ingest = ingest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if any(route.matches(scope)[0] is Match.FULL for route in self._ingest.routes):
            await self._ingest(scope, receive, send)
        else:
            await self._query({**scope, "root_path": _MOUNT}, receive, send)

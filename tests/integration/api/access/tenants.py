"""Two tenants on the real stores, whose every thing holds a mark by which it is recognised wherever it turns up."""

import hashlib
import re
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from heliograph.domain.access import IssuedKey, OfOrganization, Project, Role
from heliograph.domain.identifiers import OrganizationId
from heliograph.settings import Settings
from serve_apps.ingest.application import ingest_application
from serve_apps.ingest.dependencies import IngestDependencies
from serve_apps.query_api import query_application
from storage.postgres.connection import Database
from storage.postgres.key_cache import KeyCache
from storage.postgres.memberships import OrganizationMembers
from storage.postgres.projects import Projects
from storage.postgres.users import Users
from tests.integration.api.access.routes import MOUNT, Route
from tests.integration.api.conftest import (
    TombstonesInMemory,
    administration,
    deletion_requests,
    query_dependencies,
)
from tests.integration.clickhouse.stored import Stored
from tests.unit.serve_apps.doors import KeptInMemory, StoredInMemory

FILE = b"\x89PNG of a tenant"


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
    query = httpx.ASGITransport(query_application(dependencies))
    ingest = httpx.ASGITransport(ingest_application(IngestDependencies(keys, KeptInMemory(), StoredInMemory())))
    async with (
        httpx.AsyncClient(transport=query, base_url="http://here") as reading,
        httpx.AsyncClient(transport=ingest, base_url="http://here") as sending,
    ):
        yield Doors(reading, sending, database, settings)
    await dependencies.clickhouse.close()
    await database.close()


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


async def full_tenant(doors: Doors) -> Tenant:
    """A tenant that has something of everything."""
    tenant = await empty_tenant(doors.database)
    await _Filling(doors, tenant).all()
    return tenant


class _Filling:
    """Fills a tenant: through the API whatever the API takes, and as a lane would what is ingested."""

    def __init__(self, doors: Doors, tenant: Tenant) -> None:
        self._doors = doors
        self._tenant = tenant
        self._mark = tenant.mark
        self._ids = tenant.ids
        self._word = tenant.word

    async def all(self) -> None:
        self._events()
        await self._members()
        await self._prompts()
        await self._datasets()
        await self._annotation()
        await self._configuration()
        await self._media()
        await self._dashboards()

    async def _put(self, path: str, body: dict[str, Any], method: str = "POST", *, of: str = "project") -> Any:
        auth = self._tenant.auth if of == "project" else self._tenant.organization_auth
        answer = await self._doors.query.request(method, path, json=body, auth=auth)
        assert answer.is_success, (path, answer.text)
        return answer.json()

    def _events(self) -> None:
        stored = Stored(self._doors.settings)
        stored.project_id = self._tenant.project.id
        trace, observation, session = f"t-{self._word}", f"o-{self._word}", f"s-{self._word}"
        contents = {"input": f'"{self._mark}"', "output": self._mark}
        named = {"name": f"of {self._mark}", "session_id": session, "user_id": f"u {self._mark}"}
        experiment = [
            ("langfuse.experiment.id", "e1"),
            ("langfuse.experiment.name", f"experiment {self._mark}"),
            ("langfuse.experiment.item.id", "i1"),
            ("langfuse.experiment.item.root_observation_id", observation),
        ]
        stored.insert("traces", stored.trace(trace, **named, **contents))
        observed = stored.observation(trace, observation, metadata=experiment, **named, **contents)
        stored.insert("observations", observed)
        stored.insert("scores", stored.score(f"c-{self._word}", trace_id=trace, comment=self._mark, name=self._mark))
        self._ids |= {
            "traces.trace_id": trace,
            "observations.observation_id": observation,
            "sessions.session_id": session,
            "scores.score_id": f"c-{self._word}",
            "data.table": "observations",
        }

    async def _members(self) -> None:
        user = await Users(self._doors.database).create(f"{self._word}@example.org", self._mark)
        project = self._tenant.project
        await OrganizationMembers(self._doors.database, project.organization_id).put(user.id, Role.ADMIN)
        role = {"userId": user.id, "role": "MEMBER"}
        await self._put(f"/projects/{project.id}/memberships", role, "PUT", of="organization")
        issued = await self._put(f"/projects/{project.id}/apiKeys", {"note": self._mark}, of="organization")
        await self._put(f"/projects/{project.id}", {"name": f"project {self._mark}"}, "PUT", of="organization")
        self._ids |= {
            "projects.project_id": project.id,
            "projects.key_id": issued["id"],
            "scim.user_id": user.id,
            "heliograph-admin.organization_id": project.organization_id,
            "heliograph-admin.key_id": self._tenant.organization_key.id,
        }

    async def _prompts(self) -> None:
        name = f"prompt-{self._word}"
        await self._put("/v2/prompts", {"name": name, "prompt": self._mark, "labels": ["production"], "tags": ["x"]})
        self._ids |= {"prompts.name": name, "prompts.version": "1"}

    async def _datasets(self) -> None:
        name, run = f"dataset-{self._word}", f"run-{self._word}"
        dataset = await self._put("/v2/datasets", {"name": name, "description": self._mark})
        item = await self._put("/dataset-items", {"datasetName": name, "input": self._mark})
        trace = self._ids["traces.trace_id"]
        ran = {"runName": run, "runDescription": self._mark, "datasetItemId": item["id"], "traceId": trace}
        await self._put("/dataset-run-items", ran)
        self._ids |= {
            "datasets.name": name,
            "datasets.dataset_id": dataset["id"],
            "datasets.run_name": run,
            "dataset-items.item_id": item["id"],
        }

    async def _annotation(self) -> None:
        declared = {"name": f"config-{self._word}", "dataType": "NUMERIC", "description": self._mark}
        config = await self._put("/score-configs", declared)
        queued = {"name": f"queue-{self._word}", "scoreConfigIds": [config["id"]], "description": self._mark}
        queue = await self._put("/annotation-queues", queued)
        trace = {"objectId": self._ids["traces.trace_id"], "objectType": "TRACE"}
        item = await self._put(f"/annotation-queues/{queue['id']}/items", trace)
        said = trace | {"projectId": self._tenant.project.id, "content": self._mark}
        comment = await self._put("/comments", said)
        self._ids |= {
            "score-configs.config_id": config["id"],
            "annotation-queues.queue_id": queue["id"],
            "annotation-queues.item_id": item["id"],
            "comments.comment_id": comment["id"],
        }

    async def _configuration(self) -> None:
        priced = {"modelName": self._mark, "matchPattern": f"^{self._word}$", "unit": "TOKENS", "inputPrice": 1e-6}
        model = await self._put("/models", priced)
        connected = {"provider": f"provider-{self._word}", "adapter": "openai", "secretKey": f"sk-{self._mark}"}
        connection = await self._put("/llm-connections", connected | {"customModels": [self._mark]}, "PUT")
        rule = await self._put(
            "/masking-rules", {"kind": "expression", "target": self._word, "replacement": self._mark}
        )
        self._ids |= {
            "models.model_id": model["id"],
            "llm-connections.connection_id": connection["id"],
            "masking-rules.rule_id": rule["id"],
        }

    async def _media(self) -> None:
        sha256 = b64encode(hashlib.sha256(FILE + self._mark.encode()).digest()).decode()
        announced = {
            "traceId": self._ids["traces.trace_id"], "field": "input", "contentType": "image/png",
            "contentLength": len(FILE) + len(self._mark), "sha256Hash": sha256,
        }  # fmt: skip
        media = await self._put("/media", announced)
        self._ids["media.media_id"] = media["mediaId"]

    async def _dashboards(self) -> None:
        drawn = {
            "name": f"widget-{self._word}", "description": self._mark, "view": "observations", "chartType": "NUMBER",
            "metrics": [{"measure": "count", "agg": "count"}],
        }  # fmt: skip
        widget = await self._put("/unstable/dashboard-widgets", drawn)
        board = await self._put("/unstable/dashboards", {"name": f"board-{self._word}", "description": self._mark})
        placed = {"type": "widget", "id": f"place-{self._word}", "widgetId": widget["id"]}
        await self._put(f"/unstable/dashboards/{board['id']}/placements", placed)
        self._ids |= {
            "dashboards.dashboard_id": board["id"],
            "dashboards.placement_id": placed["id"],
            "dashboard-widgets.widget_id": widget["id"],
        }

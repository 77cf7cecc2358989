"""What the query API needs from outside, and the readers of the caller's project that its routes ask for."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request
from starlette.applications import Starlette

import heliograph
from heliograph.domain.access import Principal
from heliograph.domain.deletions import Deletion, SubjectType
from heliograph.domain.errors import InvalidRequest, KeyUnknown, Unavailable
from heliograph.domain.identifiers import ApiKeyId, ProjectId
from heliograph.domain.media import MediaDescription
from heliograph.domain.prompts import Choice, Composition
from heliograph.outbound import Outbound
from ingestion.pricing import PriceBooks, managed_prices
from serve_apps.authentication import Keys, ProjectPrincipal, acting, administrator, is_admin_key, project_principal
from serve_apps.companions import Companion
from serve_apps.limits import Limits, unlimited
from serve_apps.metrics import Scrape
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.metrics.daily import DailyMetrics
from storage.clickhouse.metrics.reader import Metrics
from storage.clickhouse.observations import Observations
from storage.clickhouse.scores import Scores
from storage.clickhouse.selections import Selections
from storage.clickhouse.sessions import Sessions
from storage.clickhouse.sql.reader import Sql
from storage.clickhouse.streams import ArrowStreams
from storage.clickhouse.traces import Traces
from storage.objects.media import MediaObjects
from storage.postgres.api_keys import ApiKeys
from storage.postgres.backfills import ProjectBackfills
from storage.postgres.connection import Database
from storage.postgres.media import ProjectMedia
from storage.postgres.projects import Projects
from storage.postgres.prompt_cache import Asked, PromptCache
from storage.postgres.prompts import Prompts
from storage.seal import Seal


class Deletes(Protocol):
    """Where requests to delete go. Raises InvalidRequest, Overloaded or Unavailable."""

    async def accept(
        self, project_id: ProjectId, subject_type: SubjectType, subjects: Sequence[str], *, requested_by: str
    ) -> Deletion:
        """Return when the request is durable."""
        ...


class StoredPayloads(Protocol):
    """Where the whole of payloads lies that are too large for their rows. Blocking; raises Unavailable."""

    def read(self, project_id: str, trace_id: str, digest: str, /) -> str | None:
        """The content; None when there is none."""
        ...


class NoPayloads:
    """No object store: rows are answered as they are."""

    def read(self, project_id: str, trace_id: str, digest: str, /) -> str | None:
        """Nothing."""
        del project_id, trace_id, digest
        return None


class ExportLinks(Protocol):
    """Where the files of exports are fetched. Raises Unavailable."""

    def url(self, project_id: ProjectId, export_id: str, name: str, /) -> tuple[str, datetime]:
        """A URL of one file, and until when it is good."""
        ...


class NoExports:
    """No object store: no file is reached."""

    def url(self, project_id: ProjectId, export_id: str, name: str, /) -> tuple[str, datetime]:
        """Nothing."""
        raise Unavailable(f"The store of {project_id}/{export_id}/{name}", 60.0)


@dataclass(frozen=True)
class Administration:
    """What issues keys, seals stored secrets, checks addresses, and opens the routes of the administrator."""

    api_keys: ApiKeys
    seal: Seal
    outbound: Outbound
    admin_key: str = field(default="", repr=False)


@dataclass(frozen=True)
class QueryDependencies:
    """The stores, keys to check, where deletions and files go, what answers need, limits, what runs beside."""

    clickhouse: ClickHouse
    database: Database
    keys: Keys
    deletes: Deletes
    media: MediaObjects
    prompts: PromptCache
    administration: Administration
    prices: PriceBooks = field(default_factory=managed_prices)
    payloads: StoredPayloads = field(default_factory=NoPayloads)
    exports: ExportLinks = field(default_factory=NoExports)
    limits: Limits = field(default_factory=unlimited)
    version: str = heliograph.__version__
    companions: tuple[Companion, ...] = ()
    scrape: Scrape | None = None


def install(app: Starlette, dependencies: QueryDependencies) -> None:
    """Give the application what its routes depend on."""
    app.state.dependencies = dependencies
    app.state.streams = ArrowStreams(dependencies.clickhouse)


# Asynchronous though they wait for nothing: FastAPI runs a plain function in a thread.
async def _dependencies(request: Request) -> QueryDependencies:
    return cast("QueryDependencies", request.app.state.dependencies)


async def _streams(request: Request) -> ArrowStreams:
    return cast("ArrowStreams", request.app.state.streams)


Dependencies = Annotated[QueryDependencies, Depends(_dependencies)]
Streams = Annotated[ArrowStreams, Depends(_streams)]


async def _administrated(request: Request, dependencies: Dependencies) -> Principal:
    """The project of a key pair, or the one that the server's administrator names; raises ProjectNotFound."""
    shown = request.headers.get("x-langfuse-admin-api-key")
    if shown is None:
        return acting(await project_principal(request))
    administrator(request)
    if not is_admin_key(request, shown):
        raise KeyUnknown
    project_id = request.headers.get("x-langfuse-project-id", "")
    if not project_id:
        raise InvalidRequest("x-langfuse-project-id", "names the project: send this header with the admin key")
    project = await Projects(dependencies.database).get(ProjectId(project_id))
    return Principal(project.id, project.organization_id, "", ApiKeyId(""))


# On the few routes that an administrator may use for any project.
AdministratedProject = Annotated[Principal, Depends(_administrated)]


async def _traces(dependencies: Dependencies, principal: ProjectPrincipal) -> Traces:
    return Traces(dependencies.clickhouse, principal.project_id)


async def _observations(dependencies: Dependencies, principal: ProjectPrincipal) -> Observations:
    return Observations(dependencies.clickhouse, principal.project_id)


async def _scores(dependencies: Dependencies, principal: ProjectPrincipal) -> Scores:
    return Scores(dependencies.clickhouse, principal.project_id)


async def _sessions(dependencies: Dependencies, principal: ProjectPrincipal) -> Sessions:
    return Sessions(dependencies.clickhouse, principal.project_id)


async def _selections(dependencies: Dependencies, principal: ProjectPrincipal, streams: Streams) -> Selections:
    return Selections(dependencies.clickhouse, streams, principal.project_id)


async def _sql(principal: ProjectPrincipal, streams: Streams) -> Sql:
    return Sql(streams, principal.project_id)


async def _metrics(dependencies: Dependencies, principal: ProjectPrincipal) -> Metrics:
    return Metrics(dependencies.clickhouse, principal.project_id)


async def _daily_metrics(dependencies: Dependencies, principal: ProjectPrincipal) -> DailyMetrics:
    return DailyMetrics(dependencies.clickhouse, principal.project_id)


async def _prompts(dependencies: Dependencies, principal: ProjectPrincipal) -> Prompts:
    return Prompts(dependencies.database, principal.project_id, dependencies.prompts.drop)


class ProjectPromptFetches:
    """Fetches prompts of the caller's project from memory."""

    def __init__(self, cache: PromptCache, project_id: ProjectId) -> None:
        self._cache = cache
        self._project_id = project_id

    async def get(self, name: str, choice: Choice, *, is_resolved: bool) -> Composition:
        """Return a prompt; see `PromptCache.get`."""
        return await self._cache.get(Asked(self._project_id, name, choice, is_resolved))


async def _prompt_fetches(dependencies: Dependencies, principal: ProjectPrincipal) -> ProjectPromptFetches:
    return ProjectPromptFetches(dependencies.prompts, principal.project_id)


class ProjectDeletes:
    """Deletes what belongs to the caller's project."""

    def __init__(self, deletes: Deletes, principal: Principal) -> None:
        self._deletes = deletes
        self._principal = principal

    async def accept(self, subject_type: SubjectType, subjects: Sequence[str]) -> None:
        """Return when the request is durable."""
        by = f"key {self._principal.public_key}"
        await self._deletes.accept(self._principal.project_id, subject_type, subjects, requested_by=by)


async def _deletes(dependencies: Dependencies, principal: ProjectPrincipal) -> ProjectDeletes:
    return ProjectDeletes(dependencies.deletes, principal)


class ProjectFiles:
    """The files of the caller's project: what is known of them, and where they lie."""

    def __init__(self, dependencies: QueryDependencies, principal: Principal) -> None:
        self.known = ProjectMedia(dependencies.database, principal.project_id)
        self.max_bytes = dependencies.media.max_bytes
        self._objects = dependencies.media
        self._project_id = principal.project_id

    def upload_url(self, media: MediaDescription) -> str:
        """See MediaObjects.upload_url."""
        return self._objects.upload_url(self._project_id, media)

    def download_url(self, media: MediaDescription) -> tuple[str, datetime]:
        """See MediaObjects.download_url."""
        return self._objects.download_url(self._project_id, media)

    async def is_uploaded(self, media: MediaDescription) -> bool:
        """Whether a file of this length is there. Raises Unavailable."""
        return await asyncio.to_thread(self._objects.length, self._project_id, media.id) == media.content_length


async def _files(dependencies: Dependencies, principal: ProjectPrincipal) -> ProjectFiles:
    return ProjectFiles(dependencies, principal)


async def _backfills(dependencies: Dependencies, principal: ProjectPrincipal) -> ProjectBackfills:
    return ProjectBackfills(dependencies.database, principal.project_id)


OwnBackfills = Annotated[ProjectBackfills, Depends(_backfills)]
ProjectMediaFiles = Annotated[ProjectFiles, Depends(_files)]
ProjectDeletions = Annotated[ProjectDeletes, Depends(_deletes)]
ProjectTraces = Annotated[Traces, Depends(_traces)]
ProjectObservations = Annotated[Observations, Depends(_observations)]
ProjectPrompts = Annotated[Prompts, Depends(_prompts)]
PromptFetches = Annotated[ProjectPromptFetches, Depends(_prompt_fetches)]
ProjectSessions = Annotated[Sessions, Depends(_sessions)]
ProjectMetrics = Annotated[Metrics, Depends(_metrics)]
ProjectDailyMetrics = Annotated[DailyMetrics, Depends(_daily_metrics)]
ProjectScores = Annotated[Scores, Depends(_scores)]
ProjectSelections = Annotated[Selections, Depends(_selections)]
ProjectSql = Annotated[Sql, Depends(_sql)]

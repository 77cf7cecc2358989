"""The ingestion application with ports in memory, and requests as clients send them."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from heliograph.domain.access import KeyScope, Principal
from heliograph.domain.errors import KeyRevoked, KeyUnknown, Unavailable
from heliograph.domain.events import MappedBatch
from heliograph.domain.identifiers import ApiKeyId, OrganizationId, ProjectId
from heliograph.domain.media import MediaContent, TraceUse
from heliograph.settings import IngestSettings
from ingestion.media import Extraction
from ingestion.pricing import PriceBooks, managed_prices
from serve_apps.ingest.application import ingest_application
from serve_apps.ingest.dependencies import Appends, IngestDependencies, LeftInPlace, MediaStore

TRACES = "/api/public/otel/v1/traces"
SCORES = "/api/public/scores"
KEY, SECRET = "pk-lf-known", "sk-lf-secret"
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
GZIP = {"content-encoding": "gzip"}
MEGABYTE = 1 << 20


@dataclass
class KeysInMemory:
    """Knows one key pair of a project, one of an organization, and one that was revoked."""

    is_away: bool = False

    async def principal(self, public_key: str, secret: str) -> Principal:
        found = await self.public_principal(public_key)
        if secret != SECRET:
            raise KeyUnknown
        return found

    async def public_principal(self, public_key: str) -> Principal:
        if self.is_away:
            raise Unavailable("PostgreSQL", 5.0)
        if public_key == "pk-lf-revoked":
            raise KeyRevoked(public_key)
        scopes = {KEY: KeyScope.PROJECT, "pk-lf-organization": KeyScope.ORGANIZATION}
        if public_key not in scopes:
            raise KeyUnknown
        identity = (ProjectId("project-1"), OrganizationId("organization-1"), public_key, ApiKeyId("key-1"))
        return Principal(*identity, scopes[public_key])


@dataclass
class KeptInMemory:
    """Keeps every batch at once."""

    batches: list[MappedBatch] = field(default_factory=list)

    async def append(self, batch: MappedBatch) -> None:
        self.batches.append(batch)

    def ids(self) -> list[str]:
        return list(itertools.chain(*(batch.records["entity_id"].to_pylist() for batch in self.batches)))


@dataclass
class KeptWhenReleased(KeptInMemory):
    """Keeps nothing before it is told to."""

    released: asyncio.Event = field(default_factory=asyncio.Event)
    was_called: asyncio.Event = field(default_factory=asyncio.Event)

    async def append(self, batch: MappedBatch) -> None:
        self.was_called.set()
        await self.released.wait()
        await super().append(batch)


@dataclass
class Failing:
    """Keeps nothing, ever."""

    error: Exception

    async def append(self, batch: MappedBatch) -> None:
        del batch
        raise self.error


@dataclass
class StoredInMemory:
    """Observations that are stored already: the trace of each."""

    traces: dict[str, str] = field(default_factory=dict)

    async def trace_ids(self, project_id: ProjectId, observation_ids: Sequence[str]) -> dict[str, str]:
        del project_id
        return {found: self.traces[found] for found in observation_ids if found in self.traces}


@dataclass
class MediaInMemory:
    """Keeps every file at once, or tells why not."""

    error: Exception | None = None
    contents: list[MediaContent] = field(default_factory=list)
    uses: set[TraceUse] = field(default_factory=set)

    async def keep(self, project_id: ProjectId, extraction: Extraction) -> bool:
        del project_id
        if self.error is not None:
            raise self.error
        self.contents += extraction.contents.values()
        self.uses |= extraction.uses
        return True


def client(
    appends: Appends | None = None,
    keys: KeysInMemory | None = None,
    settings: IngestSettings | None = None,
    stored: StoredInMemory | None = None,
    *,
    prices: PriceBooks | None = None,
    media: MediaStore | None = None,
) -> httpx.AsyncClient:
    """A client with the known key pair, in front of the application as Serve mounts it."""
    dependencies = IngestDependencies(
        keys or KeysInMemory(),
        appends or KeptInMemory(),
        stored or StoredInMemory(),
        settings or IngestSettings(),
        prices=prices or managed_prices(),
        media=media or LeftInPlace(),
    )
    return in_front_of(dependencies)


def in_front_of(dependencies: IngestDependencies) -> httpx.AsyncClient:
    """A client with the known key pair, in front of an application that is given these."""
    transport = httpx.ASGITransport(ingest_application(dependencies), root_path="/ingest")
    return httpx.AsyncClient(transport=transport, base_url="http://heliograph/ingest", auth=(KEY, SECRET))


def export(*spans: Span) -> bytes:
    """A serialized export of the spans."""
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.extend(spans)
    return request.SerializeToString()


def span(number: int = 1, **attributes: str) -> Span:
    """A valid span; the number makes its id."""
    made = Span(trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"), name=f"step {number}", end_time_unix_nano=2)
    for key, value in attributes.items():
        made.attributes.add(key=key).value.string_value = value
    return made


def span_id(number: int) -> str:
    """How the span's id is stored."""
    return number.to_bytes(8, "big").hex()


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def zeros(megabytes: int) -> AsyncIterator[bytes]:
    """A body that is never whole in memory."""
    for _ in range(megabytes):
        yield bytes(MEGABYTE)

"""Own traces: a sampled request is followed to its flush, and the export of our own spans never is."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest
import uvicorn
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.types import ASGIApp

from actors.flush_trail import FlushTrail
from actors.lane import AppendOutcome, AppendStatus, PackedAppend
from actors.lane_client import LaneClient
from heliograph import tracing
from heliograph.domain.lanes import LaneMap
from heliograph.settings import IngestSettings, TelemetrySettings
from serve_apps.ingest.application import ingest_application
from serve_apps.ingest.dependencies import IngestDependencies
from serve_apps.traced import Traced
from tests.unit.serve_apps.doors import (
    KEY,
    PROTOBUF,
    SECRET,
    TRACES,
    KeptInMemory,
    KeysInMemory,
    StoredInMemory,
    export,
    span,
)

ENDPOINT = "http://collector/v1/traces"


@dataclass
class FollowedLane:
    """Keeps every append, and follows the traced ones as a lane does."""

    trail: FlushTrail = field(default_factory=FlushTrail)
    segment: int = 0
    appended: list[PackedAppend] = field(default_factory=list)

    async def append(self, appends: Sequence[PackedAppend], map_version: int) -> list[AppendOutcome]:
        del map_version
        self.segment += 1
        for append in appends:
            with tracing.resumed(append.traced), tracing.step("commit", lane=0):
                self.trail.durable(self.segment, tracing.parents())
        self.appended += appends
        return [AppendOutcome(AppendStatus.DURABLE)] * len(appends)


@pytest.fixture(autouse=True)
def _off_again() -> Iterator[None]:
    yield
    tracing._Own.tracer = None


@contextmanager
def traced(ratio: float = 1.0) -> Iterator[Callable[[], tuple[ReadableSpan, ...]]]:
    """Trace into memory; what is given returns the spans that have ended."""
    exporter = InMemorySpanExporter()
    flush = tracing.configure_traces(TelemetrySettings(endpoint=ENDPOINT, sample_ratio=ratio), "test", exporter)

    def ended() -> tuple[ReadableSpan, ...]:
        flush()
        return exporter.get_finished_spans()

    yield ended


def door(lane: FollowedLane) -> ASGIApp:
    async def read_map() -> LaneMap:
        return LaneMap(1, 1)

    lanes = LaneClient(LaneMap(1, 1), lambda _: lane, IngestSettings(), read_map=read_map)
    return Traced(ingest_application(IngestDependencies(KeysInMemory(), lanes, StoredInMemory())))


def sender(app: ASGIApp) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, root_path="/ingest")
    return httpx.AsyncClient(transport=transport, base_url="http://heliograph/ingest", auth=(KEY, SECRET))


def ids(spans: tuple[ReadableSpan, ...]) -> dict[str, ReadableSpan]:
    return {one.name: one for one in spans}


async def test_a_request_is_followed_through_append_and_commit_to_its_flush() -> None:
    lane = FollowedLane()
    with traced() as ended:
        async with sender(door(lane)) as client:
            assert (await client.post(TRACES, content=export(span()), headers=PROTOBUF)).status_code == 200
        assert "flush" not in ids(ended())
        lane.trail.flushed(lane.segment)
        found = ids(ended())

    assert list(found) == ["commit", "append", "request", "flush"]
    above = {name: one.parent.span_id if one.parent else None for name, one in found.items()}
    own = {name: one.context.span_id for name, one in found.items() if one.context}
    assert above == {"request": None, "append": own["request"], "commit": own["append"], "flush": own["commit"]}
    assert (found["request"].attributes or {})["http.response.status_code"] == 200
    assert found["request"].resource.attributes["service.name"] == "heliograph-test"
    assert not [one for one in found.values() if SECRET in str(one.attributes) or KEY in str(one.attributes)]


async def test_exports_that_were_joined_are_all_linked_to_the_append() -> None:
    with traced() as ended:
        async with sender(door(FollowedLane())) as client:
            await asyncio.gather(
                *(client.post(TRACES, content=export(span(number)), headers=PROTOBUF) for number in (1, 2, 3))
            )
        spans = ended()

    requests = {one.context.span_id for one in spans if one.name == "request" and one.context}
    (append,) = [one for one in spans if one.name == "append"]
    assert append.parent is not None
    assert {append.parent.span_id, *(link.context.span_id for link in append.links)} == requests
    assert len(requests) == 3


async def test_without_an_endpoint_and_outside_the_sample_nothing_is_traced() -> None:
    lane = FollowedLane()
    assert not tracing.is_on()
    async with sender(door(lane)) as client:
        await client.post(TRACES, content=export(span(1)), headers=PROTOBUF)
        with traced(ratio=0.0) as ended:
            await client.post(TRACES, content=export(span(2)), headers=PROTOBUF)
            assert ended() == ()
    assert [append.traced for append in lane.appended] == [(), ()]


async def test_an_export_of_our_own_spans_is_taken_but_not_traced() -> None:
    lane = FollowedLane()
    with traced() as ended:
        async with sender(door(lane)) as client:
            headers = {**PROTOBUF, tracing.OWN_EXPORT_HEADER: "1"}
            assert (await client.post(TRACES, content=export(span()), headers=headers)).status_code == 200
        assert ended() == ()
    assert [append.traced for append in lane.appended] == [()]


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve the application on a port of its own, from a thread of its own."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_traces_that_are_sent_to_their_own_origin_do_not_beget_more() -> None:
    kept = KeptInMemory()
    app = Traced(ingest_application(IngestDependencies(KeysInMemory(), kept, StoredInMemory())))
    with served(app) as url:
        credentials = httpx.BasicAuth(KEY, SECRET)._auth_header
        settings = TelemetrySettings(endpoint=f"{url}{TRACES}", headers={"authorization": credentials}, sample_ratio=1)
        flush = tracing.configure_traces(settings, "test")
        httpx.post(f"{url}{TRACES}", content=export(span()), headers=PROTOBUF, auth=(KEY, SECRET)).raise_for_status()
        sizes = []
        for _ in range(3):
            flush()
            sizes.append(len(kept.ids()))

    # The sender's span and ours of its request; the exports of ours add none.
    assert sizes == [2, 2, 2]

"""The doors behind a real HTTP server, called by clients that know nothing of ours."""

import asyncio
import contextlib
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator

import psutil
import pytest
import requests
import uvicorn
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

from heliograph.domain.errors import Overloaded
from serve_apps.ingest.application import ingest_application
from serve_apps.ingest.dependencies import Appends, IngestDependencies
from tests.unit.serve_apps.doors import (
    KEY,
    MEGABYTE,
    PROTOBUF,
    SECRET,
    TRACES,
    KeptInMemory,
    KeysInMemory,
    StoredInMemory,
)


@contextlib.contextmanager
def served(appends: Appends) -> Iterator[str]:
    """The URL of the application; its server adds the root path, as Serve does."""
    app = ingest_application(IngestDependencies(KeysInMemory(), appends, StoredInMemory()))
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, root_path="/ingest", log_level="warning", loop="uvloop", http="httptools")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def kept() -> KeptInMemory:
    return KeptInMemory()


@pytest.fixture(scope="module")
def url(kept: KeptInMemory) -> Iterator[str]:
    with served(kept) as url:
        yield url


def zeros(megabytes: int) -> Iterator[bytes]:
    for _ in range(megabytes):
        yield bytes(MEGABYTE)


def exporter(url: str, secret: str = SECRET) -> OTLPSpanExporter:
    login = b64encode(f"{KEY}:{secret}".encode()).decode()
    return OTLPSpanExporter(url + TRACES, headers={"authorization": f"Basic {login}"}, timeout=20)


def finished_spans(count: int) -> list[ReadableSpan]:
    tracer = TracerProvider().get_tracer("test")
    spans = [tracer.start_span(f"step {number}") for number in range(count)]
    for span in spans:
        span.end()
    return [span for span in spans if isinstance(span, ReadableSpan)]


def test_opentelemetry_exporter_succeeds(url: str, kept: KeptInMemory) -> None:
    spans = finished_spans(100)
    assert exporter(url).export(spans) is SpanExportResult.SUCCESS
    sent = {f"{span.context.span_id:016x}" for span in spans if span.context}
    assert sent <= set(kept.ids())


def test_opentelemetry_exporter_fails_with_a_wrong_secret(url: str) -> None:
    assert exporter(url, "sk-lf-wrong").export(finished_spans(1)) is SpanExportResult.FAILURE


def test_opentelemetry_exporter_sends_again_what_did_not_fit() -> None:
    class FullOnce(KeptInMemory):
        was_full = False

        async def append(self, batch: object) -> None:
            if not self.was_full:
                self.was_full = True
                raise Overloaded(1.0)
            await super().append(batch)  # type: ignore[arg-type]

    kept = FullOnce()
    with served(kept) as url:
        assert exporter(url).export(finished_spans(3)) is SpanExportResult.SUCCESS
    assert len(kept.ids()) == 3


@pytest.mark.parametrize("auth", [(KEY, SECRET), (KEY, "sk-lf-wrong")], ids=["right key", "wrong key"])
@pytest.mark.parametrize("is_declared", [False, True], ids=["chunked", "declared"])
def test_client_that_sends_200_megabytes_reads_the_answer(
    *, url: str, is_declared: bool, auth: tuple[str, str]
) -> None:
    before = psutil.Process().memory_info().rss
    body: Sized | Iterator[bytes] = Sized(200) if is_declared else zeros(200)
    response = requests.post(url + TRACES, data=body, headers=PROTOBUF, auth=auth, timeout=60)
    assert response.status_code == (413 if auth[1] == SECRET else 401)
    assert response.json()["message"]
    assert psutil.Process().memory_info().rss - before < 150 * MEGABYTE


class Sized:
    """A body of declared length that is never whole in memory."""

    def __init__(self, megabytes: int) -> None:
        self._left = self._size = megabytes * MEGABYTE

    def __len__(self) -> int:
        return self._size

    def read(self, length: int = MEGABYTE, /) -> bytes:
        taken = min(length, self._left)
        self._left -= taken
        return bytes(taken)


def test_connection_is_usable_after_a_refusal(url: str) -> None:
    with requests.Session() as session:
        session.auth = (KEY, SECRET)
        refused = session.post(url + TRACES, data=b"\x0a\xff", headers=PROTOBUF, timeout=10)
        accepted = session.post(url + TRACES, data=b"", headers=PROTOBUF, timeout=10)
    assert (refused.status_code, accepted.status_code) == (400, 200)


def test_client_that_goes_away_while_sending_harms_nobody(url: str) -> None:
    address = url.removeprefix("http://").split("/")[0].split(":")
    login = b64encode(f"{KEY}:{SECRET}".encode()).decode()
    head = f"POST {TRACES} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\n"
    head += "Content-Type: application/x-protobuf\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection((address[0], int(address[1]))) as connection:
        connection.sendall(head.encode() + b"\x0a")
    response = requests.post(url + TRACES, data=b"", headers=PROTOBUF, auth=(KEY, SECRET), timeout=10)
    assert response.status_code == 200

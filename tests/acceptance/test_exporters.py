"""OpenTelemetry's own exporters, by protocol, while what serves them is killed: what they retry is stored once."""

import asyncio
import logging
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest
import requests
from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as ProtobufExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tests.acceptance.stack import Stack
from tests.benchmarks import stack as benchmarks
from tests.benchmarks.load import PATH
from tests.benchmarks.stack import connect, until

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(900)]

# Longer than the exporters' six attempts, which are what ends their patience.
_TIMEOUT_SECONDS = 120
_QUEUED_SPANS = 100_000
_PAUSE_SECONDS = 0.02
_CALM_SECONDS = 3.0
_IDS = {"traceId", "spanId", "parentSpanId"}


class JsonExporter(SpanExporter):
    """OTLP as JSON, which the SDK for Python has no exporter for: a session that retries as the others do."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers.update(headers)
        retries = Retry(total=6, backoff_factor=1, status_forcelist=(429, 502, 503, 504), allowed_methods=["POST"])
        self._session.mount("http://", HTTPAdapter(max_retries=retries))

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See SpanExporter.export."""
        body = _with_hexadecimal_ids(MessageToDict(encode_spans(spans), use_integers_for_enums=True))
        try:
            answer = self._session.post(self._url, json=body, timeout=_TIMEOUT_SECONDS)
        except requests.RequestException:
            logging.getLogger(__name__).exception("given up")
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS if answer.ok else SpanExportResult.FAILURE


class Witness(SpanExporter):
    """Notes what becomes of each batch of the exporter behind it."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.batches = 0
        self.given_up = 0
        self.longest_seconds = 0.0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See SpanExporter.export."""
        begun_at = time.monotonic()
        result = self._exporter.export(spans)
        self.longest_seconds = max(self.longest_seconds, time.monotonic() - begun_at)
        self.batches += 1
        self.given_up += len(spans) if result is SpanExportResult.FAILURE else 0
        return result


@dataclass
class Program:
    """A traced program that sends without a pause: a root with two steps below it, again and again."""

    bench: benchmarks.Stack
    witness: Witness
    sent: set[str] = field(default_factory=set)
    traces: int = 0

    def run_until(self, is_over: threading.Event) -> None:
        """Make spans until the event, and return when each was exported or given up."""
        provider = TracerProvider()
        batches = BatchSpanProcessor(self.witness, max_queue_size=_QUEUED_SPANS, schedule_delay_millis=100)
        provider.add_span_processor(batches)
        tracer = provider.get_tracer("program")
        while not is_over.wait(_PAUSE_SECONDS):
            with tracer.start_as_current_span("request") as root:
                steps = [tracer.start_span("step") for _ in range(2)]
                for step in steps:
                    step.end()
            self.sent |= {format(span.get_span_context().span_id, "016x") for span in (root, *steps)}
            self.traces += 1
        provider.force_flush(_TIMEOUT_SECONDS * 1000)
        provider.shutdown()

    @property
    def is_stored(self) -> bool:
        """Whether as many observations are there as were sent."""
        return self.bench.stored()[0] >= len(self.sent)

    def stored(self) -> list[str]:
        """The ids of the project's observations."""
        sql, bound = "SELECT id FROM observations FINAL WHERE project_id = {p:String}", {"p": self.bench.project_id}
        return [span for (span,) in self.bench.clickhouse.query(sql, parameters=bound).result_rows]


def _with_hexadecimal_ids(value: Any) -> Any:
    """Protobuf writes bytes as base64; OTLP wants ids in hexadecimal."""
    if isinstance(value, list):
        return [_with_hexadecimal_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: b64decode(item).hex() if key in _IDS else _with_hexadecimal_ids(item) for key, item in value.items()}


def exporter_of(protocol: str, stack: Stack, bench: benchmarks.Stack) -> SpanExporter:
    """The exporter as a user sets it up, with a timeout that does not end its retries."""
    login = b64encode(f"{bench.target.public_key}:{bench.target.secret_key}".encode()).decode()
    headers = {"authorization": f"Basic {login}"}
    if protocol == "grpc":
        return GrpcExporter(stack.settings.grpc_address, insecure=True, headers=headers, timeout=_TIMEOUT_SECONDS)
    if protocol == "http/protobuf":
        return ProtobufExporter(f"{bench.target.url}{PATH}", headers=headers, timeout=_TIMEOUT_SECONDS)
    return JsonExporter(f"{bench.target.url}{PATH}", headers)


def kill_the_replica(stack: Stack) -> None:
    kill(stack, "ray::ServeReplica:ingest")


def kill_the_lanes(stack: Stack) -> None:
    kill(stack, "ray::LaneActor")


def kill(stack: Stack, title: str) -> None:
    victims = stack.titled(title)
    assert victims
    for victim in victims:
        victim.kill()
    psutil.wait_procs(victims, timeout=10)
    asyncio.run(until(lambda: bool(stack.titled(title)), 120))


def exported_during(stack: Stack, work: Callable[[Stack], None]) -> dict[str, Program]:
    """One program for each protocol, sending before, while and after something is done to the stack."""
    programs = {}
    for protocol in ("grpc", "http/protobuf", "http/json"):
        bench = asyncio.run(connect(protocol.replace("/", "-"), stack.settings))
        programs[protocol] = Program(bench, Witness(exporter_of(protocol, stack, bench)))
    is_over = threading.Event()
    threads = [threading.Thread(target=program.run_until, args=(is_over,)) for program in programs.values()]
    for thread in threads:
        thread.start()
    time.sleep(_CALM_SECONDS)
    try:
        work(stack)
        time.sleep(_CALM_SECONDS)
    finally:
        is_over.set()
        for thread in threads:
            thread.join(_TIMEOUT_SECONDS * 2)
    return programs


@pytest.mark.parametrize("work", [kill_the_replica, kill_the_lanes])
def test_what_an_exporter_retries_is_stored_once(stack: Stack, work: Callable[[Stack], None]) -> None:
    programs = exported_during(stack, work)
    for protocol, program in programs.items():
        assert program.witness.given_up == 0, protocol
        asyncio.run(until(lambda program=program: program.is_stored, 60))  # type: ignore[misc]
        assert sorted(program.stored()) == sorted(program.sent), protocol
        assert program.bench.stored()[1] == program.traces, protocol
    # The fault was felt: a batch had to be sent again.
    assert max(program.witness.longest_seconds for program in programs.values()) > 1

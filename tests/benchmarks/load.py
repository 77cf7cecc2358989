"""The load of the benchmarks: OTLP requests with fresh ids in every copy, and a client that costs next to nothing."""

import asyncio
import random
import secrets
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Protocol
from urllib.parse import urlsplit

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PATH = "/api/public/otel/v1/traces"
SPANS_PER_TRACE = 10
_PATIENCE_SECONDS = 30.0
_SYLLABLES = [
    "ka",
    "lo",
    "mi",
    "ren",
    "ta",
    "sol",
    "ver",
    "din",
    "pra",
    "fes",
    "tu",
    "nor",
    "bel",
    "gan",
    "is",
    "ul",
    "em",
    "or",
    "ath",
    "win",
]
_MODELS = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-flash")


class Vocabulary:
    """Text like language in its word lengths and frequencies, so that indexes and compression work as usual."""

    def __init__(self, seed: int, words: int = 20_000) -> None:
        self._random = random.Random(seed)
        self._words = ["".join(self._random.choices(_SYLLABLES, k=self._random.randint(1, 4))) for _ in range(words)]
        # Zipf's law, the shape of word frequencies in any language.
        self._weights = list(accumulate(1 / rank for rank in range(1, words + 1)))

    def text(self, words: int) -> str:
        """A sentence of so many words."""
        return " ".join(self._random.choices(self._words, cum_weights=self._weights, k=words))


@dataclass
class Template:
    """A serialized request whose ids are replaced in every copy: each copy is of other traces and spans."""

    body: bytes
    spans: int
    trace_offsets: np.ndarray
    trace_of_offset: np.ndarray
    span_offsets: np.ndarray
    span_of_offset: np.ndarray
    generator: np.random.Generator = field(default_factory=lambda: np.random.default_rng(secrets.randbits(64)))

    def copy(self) -> bytes:
        """The request with fresh random ids."""
        return self.filled(*self.fresh_ids())

    def fresh_ids(self) -> tuple[np.ndarray, np.ndarray]:
        """Random ids: 16 bytes for each trace, 8 for each span."""
        traces = self.generator.integers(0, 256, (int(self.trace_of_offset.max()) + 1, 16), dtype=np.uint8)
        return traces, self.generator.integers(0, 256, (self.spans, 8), dtype=np.uint8)

    def filled(self, traces: np.ndarray, spans: np.ndarray) -> bytes:
        """The request with these ids."""
        body = np.frombuffer(self.body, dtype=np.uint8).copy()
        body[self.trace_offsets[:, None] + np.arange(16)] = traces[self.trace_of_offset]
        body[self.span_offsets[:, None] + np.arange(8)] = spans[self.span_of_offset]
        return body.tobytes()


def templates(count: int, spans: int, *, seed: int = 7) -> list[Template]:
    """Different requests of so many spans of about 1.25 kB each, ten spans a trace."""
    vocabulary = Vocabulary(seed)
    return [_template(vocabulary, spans, index) for index in range(count)]


def _template(vocabulary: Vocabulary, spans: int, index: int) -> Template:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    _attribute(resource.resource, "service.name", "benchmark")
    _attribute(resource.resource, "telemetry.sdk.language", "python")
    scope = resource.scope_spans.add()
    scope.scope.name, scope.scope.version = "langfuse-sdk", "5.0.4"
    for number in range(spans):
        _fill(scope.spans.add(), vocabulary, number, index)
    return _located(request.SerializeToString(), spans)


def _fill(span: Span, vocabulary: Vocabulary, number: int, index: int) -> None:
    trace, within = divmod(number, SPANS_PER_TRACE)
    span.trace_id = _mark(trace, 16, 0xA5)
    span.span_id = _mark(number, 8, 0xB6)
    if within:
        span.parent_span_id = _mark(trace * SPANS_PER_TRACE, 8, 0xB6)
    start = time.time_ns() - (index * 1_000 + number) * 1_000_000
    span.start_time_unix_nano = start
    span.end_time_unix_nano = start + (within + 1) * 37_000_000
    span.name = f"step-{within}" if within else "agent"
    kind = "agent" if not within else "generation" if within % 2 else "tool"
    values = {
        "langfuse.observation.type": kind,
        "langfuse.observation.input": f'[{{"role":"user","content":"{vocabulary.text(70)}"}}]',
        "langfuse.observation.output": vocabulary.text(55),
        "langfuse.observation.metadata.step": str(within),
        "user.id": f"user-{(index * 31 + trace) % 997}",
        "session.id": f"session-{(index * 17 + trace) % 4999}",
        "langfuse.environment": "production",
    }
    if kind == "generation":
        values["langfuse.observation.model.name"] = _MODELS[(index + within) % len(_MODELS)]
        values["langfuse.observation.usage_details"] = f'{{"input":{300 + within * 7},"output":{80 + trace % 50}}}'
    for key, value in values.items():
        _attribute(span, key, value)


def _attribute(message: object, key: str, value: str) -> None:
    attribute = message.attributes.add()  # type: ignore[attr-defined]
    attribute.key = key
    attribute.value.string_value = value


def _mark(number: int, length: int, filler: int) -> bytes:
    return bytes([filler]) * (length - 4) + number.to_bytes(4, "big")


def _located(body: bytes, spans: int) -> Template:
    traces = [(at, n) for n in range((spans - 1) // SPANS_PER_TRACE + 1) for at in _find(body, _mark(n, 16, 0xA5))]
    ids = [(at, n) for n in range(spans) for at in _find(body, _mark(n, 8, 0xB6))]
    trace_offsets, trace_numbers = (np.array(column) for column in zip(*traces, strict=True))
    span_offsets, span_numbers = (np.array(column) for column in zip(*ids, strict=True))
    return Template(body, spans, trace_offsets, trace_numbers, span_offsets, span_numbers)


def _find(body: bytes, mark: bytes) -> Iterator[int]:
    at = body.find(mark)
    while at >= 0:
        yield at
        at = body.find(mark, at + 1)


class Request(Protocol):
    """What a connection sends: copies that differ in their ids."""

    @property
    def spans(self) -> int:
        """How many spans a copy has."""

    def copy(self) -> bytes:
        """The next copy."""


@dataclass
class Target:
    """Where the load goes, always on this machine."""

    url: str
    public_key: str
    secret_key: str

    def headers(self, path: str, length: int) -> bytes:
        """The head of a POST with a protobuf body."""
        login = b64encode(f"{self.public_key}:{self.secret_key}".encode()).decode()
        return (
            f"POST {path} HTTP/1.1\r\nhost: {urlsplit(self.url).netloc}\r\nauthorization: Basic {login}\r\n"
            f"content-type: application/x-protobuf\r\ncontent-length: {length}\r\n"
            "x-langfuse-sdk-name: python\r\nx-langfuse-sdk-version: 5.0.4\r\n\r\n"
        ).encode()


@dataclass
class Sent:
    """What a run has sent and what came of it."""

    acknowledged: int = 0
    requests: int = 0
    refused: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    copies: dict[int, int] = field(default_factory=dict)

    def percentile(self, share: float) -> float:
        """Seconds that this share of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


@dataclass
class Load:
    """A closed loop: each connection sends its next request when the answer to the last has come."""

    target: Target
    requests: Sequence[Request]
    connections: int
    max_spans: int
    max_seconds: float
    spans_per_second: float = 0.0
    # Whether a connection that breaks is made anew and its request sent again, until it is acknowledged.
    is_persistent: bool = False

    async def run(self, into: Sent | None = None) -> Sent:
        """Send until the bound in spans or seconds is reached; what was sent is counted as it happens."""
        sent = into if into is not None else Sent()
        started = time.monotonic()
        await asyncio.gather(*(self._connection(sent, started) for _ in range(self.connections)))
        sent.seconds = time.monotonic() - started
        return sent

    async def _connection(self, sent: Sent, started: float) -> None:
        connection = _Connection(self.target)
        while sent.requests * self.requests[0].spans < self.max_spans:
            if time.monotonic() - started > self.max_seconds:
                break
            index = sent.requests % len(self.requests)
            sent.requests += 1
            await self._pace(sent, started)
            body = self.requests[index].copy()
            begun = time.monotonic()
            while (status := await self._answer(connection, body)) in {429, 503}:
                sent.refused += 1
                await asyncio.sleep(0.5)
            if status != 200:
                raise RuntimeError(f"unexpected status {status}")
            sent.latencies.append(time.monotonic() - begun)
            sent.acknowledged += self.requests[index].spans
            sent.copies[index] = sent.copies.get(index, 0) + 1
        connection.close()

    async def _answer(self, connection: "_Connection", body: bytes) -> int:
        if not self.is_persistent:
            return await connection.post(body)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await connection.post(body)
        except (OSError, asyncio.IncompleteReadError):
            connection.close()
            return 503

    async def _pace(self, sent: Sent, started: float) -> None:
        if self.spans_per_second:
            due = started + sent.requests * self.requests[0].spans / self.spans_per_second
            await asyncio.sleep(max(due - time.monotonic(), 0))


@dataclass
class _Connection:
    """A connection to the target, made when it is first used."""

    target: Target
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes) -> int:
        """Send a body; the status of the answer."""
        reader, writer = await self._opened()
        writer.write(self.target.headers(PATH, len(body)))
        writer.write(body)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        await reader.readexactly(next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0))
        if b"connection: close" in lines:
            self.close()
        return int(head.split(b" ", 2)[1])

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            parts = urlsplit(self.target.url)
            self._streams = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20)
        return self._streams

    def close(self) -> None:
        """Close it; the next use makes another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

"""A trace of 30,000 spans and a session of 20,000 traces are ordinary: sent, seen, read and still growing."""

import itertools
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.acceptance.stack import Stack
from tests.acceptance.test_event_life import client, eventually

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(300)]

_SPANS, _TRACES, _EXPORT = 30_000, 20_000, 500
_START = 1_795_510_371_000_000_000
_MEGABYTE = 1 << 20


def export(trace_ids: Iterable[bytes], session: str, *, first: int) -> bytes:
    """One span for each of the trace ids, numbered from `first`; all but the first have the first as their parent."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    scope.scope.name = "langfuse-sdk"
    for number, trace_id in enumerate(trace_ids, first):
        span = scope.spans.add(trace_id=trace_id, span_id=number.to_bytes(8, "big"), name=f"step {number % 10}")
        span.start_time_unix_nano, span.end_time_unix_nano = _START + number * 1_000, _START + number * 1_000 + 500
        if number > 1:
            span.parent_span_id = (1).to_bytes(8, "big")
        span.attributes.add(key="session.id").value.string_value = session
        span.attributes.add(key="langfuse.observation.input").value.string_value = f"question {number} " * 20
        span.attributes.add(key="langfuse.observation.output").value.string_value = f"answer {number} " * 20
    return request.SerializeToString()


def send(api: httpx.Client, body: bytes) -> None:
    answer = api.post("/otel/v1/traces", content=body, headers={"content-type": "application/x-protobuf"})
    assert (answer.status_code, answer.content) == (200, b"")


@contextmanager
def timed(stack: Stack, what: str) -> Iterator[None]:
    """Print how long the block took, and what the largest processes hold at its end."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    sizes = sorted((_resident(process) for process in stack.processes()), reverse=True)[:4]
    print(f"{what}: {took:.2f} s; largest processes {[size // _MEGABYTE for size in sizes]} MB")


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def until(call: Callable[[], Any], expected: object) -> None:
    eventually(lambda: call() == expected, seconds=60.0)


def test_a_trace_of_30_000_spans_is_read_whole_and_still_grows(stack: Stack) -> None:
    trace_id = uuid.uuid4()
    session = f"one {trace_id}"
    path = f"/traces/{trace_id.hex}"
    with client(stack) as api:
        with timed(stack, f"{_SPANS} spans of one trace acknowledged"):
            for first in range(1, _SPANS + 1, _EXPORT):
                send(api, export(itertools.repeat(trace_id.bytes, _EXPORT), session, first=first))

        def counted() -> int:
            found = api.get("/observations", params={"traceId": trace_id.hex, "limit": 1}).json()
            return int(found["meta"]["totalItems"])

        with timed(stack, "and visible"):
            until(counted, _SPANS)
        with timed(stack, "read whole by its id"):
            found = api.get(path).json()
        assert len(found["observations"]) == _SPANS
        assert found["observations"][-1]["output"].startswith(f"answer {_SPANS} ")
        with timed(stack, "its outline alone"):
            outline = api.get(path, params={"fields": "core,metrics"}).json()
        assert outline["latency"] == pytest.approx((_SPANS * 1_000 - 500) / 1e9, abs=0.001)
        with timed(stack, "100 more spans, one by one"):
            for number in range(_SPANS + 1, _SPANS + 101):
                send(api, export([trace_id.bytes], session, first=number))
        with timed(stack, "and visible"):
            until(counted, _SPANS + 100)
        found = api.get("/traces", params={"sessionId": session}).json()
        assert [one["id"] for one in found["data"]] == [trace_id.hex]
        assert len(found["data"][0]["observations"]) == _SPANS + 100


def test_a_session_of_20_000_traces_is_counted_paged_and_filtered(stack: Stack) -> None:
    session = f"many {uuid.uuid4()}"
    trace_ids = [uuid.uuid4() for _ in range(_TRACES)]
    with client(stack) as api:
        with timed(stack, f"{_TRACES} traces of one session acknowledged"):
            for first in range(0, _TRACES, _EXPORT):
                part = [trace_id.bytes for trace_id in trace_ids[first : first + _EXPORT]]
                send(api, export(part, session, first=first + 1))

        def listed(page: int) -> dict[str, Any]:
            asked: dict[str, Any] = {"sessionId": session, "limit": 100, "page": page, "orderBy": "timestamp.asc"}
            return dict(api.get("/traces", params=asked).json())

        with timed(stack, "and visible"):
            until(lambda: listed(1)["meta"]["totalItems"], _TRACES)
        with timed(stack, "the last of its 200 pages"):
            last = listed(200)
        assert [one["id"] for one in last["data"]] == [trace_id.hex for trace_id in trace_ids[-100:]]
        with timed(stack, "1,000 of its observations in the second generation"):
            asked: dict[str, Any] = {"sessionId": session, "limit": 1_000, "fields": "core,io"}
            found = api.get("/v2/observations", params=asked).json()
        assert len(found["data"]) == 1_000

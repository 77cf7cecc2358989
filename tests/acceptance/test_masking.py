"""Masking on a whole stack with two replicas: what a rule hides is in no row and in no object of the log."""

import asyncio
import base64
import io
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import httpx
import pyarrow.parquet as pq
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from ingestion.otlp import PROTOBUF, decode
from ingestion.otlp_document import resource_spans
from storage.objects import connection as objects
from tests.acceptance.stack import Stack, running
from tests.benchmarks.stack import Stack as Bench
from tests.benchmarks.stack import connect, until
from tests.masking_service import Service, masking

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(900)]

TRACES = "/api/public/otel/v1/traces"
EMAIL, PIN, PASSWORD = "ann@mail.example", "pin 98765", "s3cr3tV4lue"
URL = f"https://ann:{PASSWORD}@host/?api_key={PASSWORD}"
AT = "2026-11-28T10:00:00Z"
# The rules are looked at every two seconds.
SECONDS_TO_TAKE_EFFECT = 6


@pytest.fixture(scope="module")
def replicated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    chosen = {"HELIOGRAPH_INGEST__REPLICAS": "2", "HELIOGRAPH_OUTBOUND__ALLOWED_NETWORKS": '["127.0.0.0/8"]'}
    with running(tmp_path_factory.mktemp("masking"), **chosen) as up:
        yield up


@pytest.fixture
def bench(replicated: Stack) -> Bench:
    return asyncio.run(connect("masking", replicated.settings))


def client(bench: Bench) -> httpx.Client:
    return httpx.Client(base_url=bench.target.url, auth=(bench.target.public_key, bench.target.secret_key), timeout=30)


def export(number: int, text: str) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"M" * 16, name=f"step {text}")
    span.span_id = number.to_bytes(8, "big")
    span.start_time_unix_nano = span.end_time_unix_nano = time.time_ns()
    span.attributes.add(key="langfuse.observation.input").value.string_value = json.dumps({"a": [f"say\n{text}"]})
    span.attributes.add(key="langfuse.trace.metadata.m").value.string_value = text
    span.attributes.add(key="user.id").value.string_value = text
    header = span.attributes.add(key="http.request.header.authorization").value.array_value
    header.values.add().string_value = f"Bearer {PASSWORD}"
    span.events.add(name="exception").attributes.add(key="exception.message").value.string_value = text
    return request


def sent_by_every_protocol(bench: Bench, text: str) -> None:
    """Nine observations, traces and scores that hold the text."""
    with client(bench) as http:
        spans = export(1, text)
        binary = {"content-type": "application/x-protobuf"}
        http.post(TRACES, content=spans.SerializeToString(), headers=binary).raise_for_status()
        document = {"resourceSpans": resource_spans(decode(export(2, text).SerializeToString(), PROTOBUF))}
        http.post(TRACES, json=document).raise_for_status()
        with grpc.insecure_channel(bench.settings.grpc_address) as channel:
            login = base64.b64encode(f"{bench.target.public_key}:{bench.target.secret_key}".encode()).decode()
            stub = TraceServiceStub(channel)  # type: ignore[no-untyped-call]
            stub.Export(export(3, text), metadata=(("authorization", f"Basic {login}"),))
        body = {"input": text, "output": {"deep": [text]}, "metadata": {text: text}, "statusMessage": text}
        events = [
            {"id": "1", "type": "trace-create", "timestamp": AT, "body": {**body, "id": "t", "userId": text}},
            {"id": "2", "type": "span-create", "timestamp": AT, "body": {**body, "id": "s", "traceId": "t"}},
            {
                "id": "3", "type": "score-create", "timestamp": AT,
                "body": {"traceId": "t", "name": "n", "value": 1, "comment": text},
            },
        ]  # fmt: skip
        assert http.post("/api/public/ingestion", json={"batch": events}).json()["errors"] == []
        http.post("/api/public/generations", json={"traceId": "t", "id": "g", "prompt": text}).raise_for_status()
        score = {"traceId": "t", "name": "n2", "value": text, "comment": text, "metadata": {"a": text}}
        http.post("/api/public/scores", json=score).raise_for_status()
    expected = {"observations": 5, "scores": 2}
    asyncio.run(until(lambda: {table: len(rows(bench, table)) for table in expected} == expected, 60))


def rows(bench: Bench, table: str) -> list[Any]:
    query = f"SELECT * FROM {table} FINAL WHERE project_id = {{p:String}}"  # noqa: S608
    return list(bench.clickhouse.query(query, parameters={"p": bench.project_id}).result_rows)


def everything_stored(bench: Bench) -> str:
    """Every row, also those that were superseded, and every byte of the log's records of the project."""
    found = [str(rows(bench, table)) for table in ("observations", "traces", "scores")]
    settings = bench.settings
    s3 = objects.connect(settings.s3, settings.s3_url)
    count = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=settings.s3.bucket):
        for entry in page.get("Contents", ()):
            body = s3.get_object(Bucket=settings.s3.bucket, Key=entry["Key"])["Body"].read()
            if entry["Key"].endswith(".parquet") and body:
                own = [
                    row for row in pq.read_table(io.BytesIO(body)).to_pylist() if row["project_id"] == bench.project_id
                ]
                count += len(own)
                found.append(str(own))
            else:
                found.append(body.decode("utf-8", "replace"))
    assert count
    return "".join(found)


def test_every_protocol_is_masked_in_every_store(replicated: Stack, bench: Bench) -> None:
    with client(bench) as http:
        name = http.get("/api/public/projects").json()["data"][0]["name"]
        http.post("/api/public/masking-rules", json={"kind": "detector", "target": "email"}).raise_for_status()
        rule = {"kind": "expression", "target": r"\bpin (\d+)\b"}
        http.post("/api/public/masking-rules", json=rule).raise_for_status()
    assert "email" in replicated.heliograph("masking", "list", name)
    assert "[email]" in replicated.heliograph("masking", "test", name, f"to {EMAIL}")
    time.sleep(SECONDS_TO_TAKE_EFFECT)
    sent_by_every_protocol(bench, f"{EMAIL} and {PIN} at {URL}")
    stored = everything_stored(bench)
    assert EMAIL not in stored
    assert "98765" not in stored
    assert PASSWORD not in stored
    assert "[email] and pin *** at https://ann:***@host/?api_key=***" in stored
    with client(bench) as http:
        asked = {"observations": 50, "rules": [{"kind": "expression", "target": "say"}]}
        assert http.post("/api/public/masking-rules/dry-run", json=asked).json()["data"]


def test_a_change_takes_effect_on_both_replicas(replicated: Stack, bench: Bench) -> None:
    replicas = [one for one in replicated.processes() if " ".join(one.cmdline()).startswith("ray::ServeReplica:ingest")]
    assert len(replicas) == 2
    numbers = iter(range(1, 10_000))

    def sent(text: str) -> set[str]:
        """Sixty requests at once, each on a connection of its own: both replicas get some."""

        def send(number: int) -> str:
            with client(bench) as http:
                body = export(number, text).SerializeToString()
                http.post(TRACES, content=body, headers={"content-type": "application/x-protobuf"}).raise_for_status()
            return number.to_bytes(8, "big").hex()

        with ThreadPoolExecutor(8) as pool:
            return set(pool.map(send, [next(numbers) for _ in range(60)]))

    def names(ids: set[str]) -> set[str]:
        query = "SELECT id, name FROM observations FINAL WHERE project_id = {p:String}"
        asyncio.run(until(lambda: ids <= dict(read(query)).keys(), 60))
        return {name for one, name in read(query) if one in ids}

    def read(query: str) -> list[Any]:
        return list(bench.clickhouse.query(query, parameters={"p": bench.project_id}).result_rows)

    before = [{process.pid: process.cpu_times().user for process in replicas}]
    assert names(sent(EMAIL)) == {f"step {EMAIL}"}
    assert all(process.cpu_times().user > before[0][process.pid] for process in replicas)
    with client(bench) as http:
        made = http.post("/api/public/masking-rules", json={"kind": "detector", "target": "email"}).json()
        time.sleep(SECONDS_TO_TAKE_EFFECT)
        assert names(sent(EMAIL)) == {"step [email]"}
        http.delete(f"/api/public/masking-rules/{made['id']}").raise_for_status()
        time.sleep(SECONDS_TO_TAKE_EFFECT)
    assert names(sent(EMAIL)) == {f"step {EMAIL}"}


def rewritten(sent: Any) -> tuple[int, Any]:
    return 200, json.loads(json.dumps(sent).replace(EMAIL, "[rewritten]"))


def slow(sent: Any) -> tuple[int, Any]:
    time.sleep(1)
    return rewritten(sent)


BAD = {"an error": lambda _: (500, {}), "slow": slow, "another form": lambda _: (200, {"ok": True})}


def test_a_callback_rewrites_every_protocol(bench: Bench) -> None:
    with masking(Service(rewritten)) as service, client(bench) as http:
        rule = {"kind": "callback", "target": service.url, "failClosed": True, "headers": ["user-agent"]}
        http.post("/api/public/masking-rules", json=rule).raise_for_status()
        time.sleep(SECONDS_TO_TAKE_EFFECT)
        sent_by_every_protocol(bench, EMAIL)
    stored = everything_stored(bench)
    assert EMAIL not in stored
    assert "[rewritten]" in stored
    assert {seen["x-langfuse-project-id"] for seen in service.seen} == {bench.project_id}
    assert all("authorization" not in seen for seen in service.seen)
    assert any("httpx" in seen["user-agent"] for seen in service.seen)


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD)
def test_a_callback_that_fails_lets_pass_or_refuses(bench: Bench, answer: Callable[[Any], tuple[int, Any]]) -> None:
    binary = {"content-type": "application/x-protobuf"}
    with masking(Service(answer)) as service, client(bench) as http:
        rule = {"kind": "callback", "target": service.url}
        made = http.post("/api/public/masking-rules", json=rule).json()
        time.sleep(SECONDS_TO_TAKE_EFFECT)
        assert http.post(TRACES, content=export(1, EMAIL).SerializeToString(), headers=binary).status_code == 200
        http.delete(f"/api/public/masking-rules/{made['id']}").raise_for_status()
        http.post("/api/public/masking-rules", json=rule | {"failClosed": True}).raise_for_status()
        time.sleep(SECONDS_TO_TAKE_EFFECT)
        refused = http.post(TRACES, content=export(2, PIN).SerializeToString(), headers=binary)
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    asyncio.run(until(lambda: len(rows(bench, "observations")) == 1, 60))
    assert "98765" not in everything_stored(bench)

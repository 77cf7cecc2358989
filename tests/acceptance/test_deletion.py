"""Deletion on a whole stack: while spans arrive, through kill -9 and a replay of the whole log, from every store."""

import asyncio
import contextlib
import io
import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
import pyarrow.parquet as pq
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from urllib3.exceptions import HTTPError

from heliograph.settings import Settings
from storage.objects import connection as objects
from storage.postgres.connection import Database
from storage.postgres.lanes import LaneRegistry
from tests.acceptance.stack import Stack, running
from tests.benchmarks.stack import Stack as Bench
from tests.benchmarks.stack import connect, until

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(900)]

TRACE = b"T" * 16
NEIGHBOUR = b"N" * 16


@dataclass
class Sender:
    """Sends spans of one trace, one a request, and knows when each was acknowledged."""

    bench: Bench
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    started_at: dict[str, float] = field(default_factory=dict)
    acknowledged_at: dict[str, float] = field(default_factory=dict)
    is_done: threading.Event = field(default_factory=threading.Event)

    def send(self, trace: bytes) -> None:
        request = ExportTraceServiceRequest()
        span = request.resource_spans.add().scope_spans.add().spans.add(trace_id=trace)
        span.span_id = next(self.numbers).to_bytes(8, "big")
        span.start_time_unix_nano = span.end_time_unix_nano = time.time_ns()
        self.started_at[span.span_id.hex()] = time.monotonic()
        with contextlib.suppress(httpx.HTTPError), client(self.bench) as http:
            answered = http.post(
                "/api/public/otel/v1/traces",
                content=request.SerializeToString(),
                headers={"content-type": "application/x-protobuf"},
            )
            if answered.status_code == 200:
                self.acknowledged_at[span.span_id.hex()] = time.monotonic()

    def run(self) -> None:
        while not self.is_done.is_set():
            self.send(TRACE)

    def before(self, moment: float) -> set[str]:
        return {span for span, at in self.acknowledged_at.items() if at < moment}

    def after(self, moment: float) -> set[str]:
        return {span for span in self.acknowledged_at if self.started_at[span] > moment}


def client(bench: Bench) -> httpx.Client:
    auth = (bench.target.public_key, bench.target.secret_key)
    return httpx.Client(base_url=bench.target.url, auth=auth, timeout=30)


def stored(bench: Bench, trace: bytes) -> set[str]:
    query = "SELECT id FROM observations FINAL WHERE project_id = {p:String} AND trace_id = {t:String}"
    rows = bench.clickhouse.query(query, parameters={"p": bench.project_id, "t": trace.hex()}).result_rows
    return {row[0] for row in rows}


def kept_records(settings: Settings, project_id: str) -> set[str]:
    """The ids of all events of the project, in every object of log and archive."""
    s3 = objects.connect(settings.s3, settings.s3_url)
    found: set[str] = set()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=settings.s3.bucket):
        for entry in page.get("Contents", []):
            if not entry["Key"].endswith(".parquet") or not entry["Size"]:
                continue
            body = s3.get_object(Bucket=settings.s3.bucket, Key=entry["Key"])["Body"].read()
            table = pq.read_table(io.BytesIO(body))
            if "entity_id" in table.column_names:
                rows = table.select(["kind", "project_id", "entity_id"]).to_pylist()
                found.update(
                    row["entity_id"] for row in rows if row["kind"] == "event" and row["project_id"] == project_id
                )
    return found


async def rewind(stack: Stack) -> None:
    """Forget every checkpoint of a stack that has nothing left to flush."""
    database = Database(stack.settings.postgres_dsn)
    registry = LaneRegistry(database)
    for lane in (await registry.lane_map()).lanes:
        await registry.rewind(lane)
    await database.close()


class Watch:
    """Looks for what must not reappear, as often as ClickHouse answers."""

    def __init__(self, bench: Bench, deleted: set[str]) -> None:
        self._bench = bench
        self._deleted = deleted
        self._is_done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.looks = 0
        self.reappeared: set[str] = set()

    def _look(self) -> None:
        while not self._is_done.wait(0.05):
            with contextlib.suppress(ClickHouseError, HTTPError, OSError):
                self.reappeared |= self._deleted & stored(self._bench, TRACE)
                self.looks += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_done.set()
        self._thread.join()


def test_a_trace_deleted_while_its_spans_arrive_is_gone_from_every_store(tmp_path: Path) -> None:
    with running(tmp_path) as stack:
        bench = asyncio.run(connect("deletion", stack.settings))
        sender = Sender(bench)
        sender.send(NEIGHBOUR)
        neighbour = set(sender.acknowledged_at)
        thread = threading.Thread(target=sender.run)
        thread.start()
        asyncio.run(until(lambda: len(stored(bench, TRACE)) > 20, 60))

        called_at = time.monotonic()
        with client(bench) as http:
            answered = http.delete(f"/api/public/traces/{TRACE.hex()}")
        answered_at = time.monotonic()
        assert (answered.status_code, answered.json()) == (200, {"message": "Trace deleted successfully"})
        asyncio.run(until(lambda: len(sender.after(answered_at)) > 10, 60))
        assert stack.kill_everything() > 10
        sender.is_done.set()
        thread.join(60)
        deleted, kept = sender.before(called_at) - neighbour, sender.after(answered_at)
        assert len(deleted) > 20
        assert len(kept) > 10

        stack.heliograph("up")
        asyncio.run(until(lambda: kept <= stored(bench, TRACE), 60))
        assert not deleted & stored(bench, TRACE)

        # Replay of the whole log: at no moment does anything come back.
        asyncio.run(rewind(stack))
        assert stack.kill_everything() > 10
        with Watch(bench, deleted) as watch:
            stack.heliograph("up")
            asyncio.run(until(lambda: kept <= stored(bench, TRACE), 60))
        assert watch.looks > 0
        assert watch.reappeared == set()
        assert len(stored(bench, NEIGHBOUR)) == 1
        _expect_trace(bench, len(stored(bench, TRACE)))

        stack.heliograph("compact")
        left = kept_records(stack.settings, bench.project_id)
        assert not deleted & left
        assert kept <= left
        assert "trace" in stack.heliograph("deletions")


def _expect_trace(bench: Bench, observations: int) -> None:
    with client(bench) as http:
        trace = http.get(f"/api/public/traces/{TRACE.hex()}").json()
    assert len(trace["observations"]) == observations


def test_a_project_is_deleted_by_the_command_line(stack: Stack) -> None:
    bench = asyncio.run(connect("deleted-project", stack.settings))
    sender = Sender(bench)
    sender.send(TRACE)
    asyncio.run(until(lambda: len(stored(bench, TRACE)) == 1, 30))

    printed = stack.heliograph("delete", "project", bench.project_id, "--yes")

    assert "1 keys revoked" in printed
    assert stored(bench, TRACE) == set()
    with client(bench) as http:
        assert http.get("/api/public/traces").status_code == 401
    assert bench.project_id not in stack.heliograph("projects", "list")
    assert bench.project_id in stack.heliograph("deletions")


def test_a_session_and_a_score_are_deleted_by_the_command_line(stack: Stack) -> None:
    bench = asyncio.run(connect("deleted-session", stack.settings))
    with client(bench) as http:
        for trace, session in (("t1", "chat"), ("t2", "other")):
            body = {"id": trace, "timestamp": "2026-11-20T00:00:00Z", "sessionId": session, "name": "x"}
            event = {"id": f"e-{trace}", "type": "trace-create", "timestamp": "2026-11-20T00:00:00Z", "body": body}
            assert http.post("/api/public/ingestion", json={"batch": [event]}).status_code == 207
        score = {"id": "s", "traceId": "t2", "name": "q", "value": 1}
        assert http.post("/api/public/scores", json=score).status_code == 200
        asyncio.run(until(lambda: http.get("/api/public/traces/t2").json().get("scores", []) != [], 30))

        stack.heliograph("delete", "session", "chat", "--project", bench.project_id, "--yes")
        stack.heliograph("delete", "score", "s", "--project", bench.project_id, "--yes")

        assert http.get("/api/public/traces/t1").status_code == 404
        assert http.get("/api/public/traces/t2").json()["scores"] == []

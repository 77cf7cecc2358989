"""What emitters really send, through the front door of a whole stack."""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.stack import Stack
from tests.acceptance.test_replicas import kill_the_replica
from tests.benchmarks.load import Target
from tests.benchmarks.stack import connect, until
from tests.emitters import environments, recording, seen
from tests.emitters.record import connection

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(900)]

# By the name of its environment: the arguments of an exporter, and how many seconds it tries for one export.
EXPORTERS = {
    "grpc": ("otlp_python", ["grpc"], "60"),
    "http/protobuf": ("otlp_python", ["http/protobuf"], "60"),
    "http/json": ("otlp_node", [], "60000"),
}


def test_what_was_recorded_is_read_back_through_the_api(stack: Stack) -> None:
    for name in recording.recorded():
        bench = asyncio.run(connect(name, stack.settings))
        expected = [one for trace in json.loads(seen.expected_path(name).read_text("utf-8")) for one in _all([trace])]
        with _client(bench.target) as client:
            for request in recording.load(name):
                answer = client.post(request.path, content=request.body, headers=dict(request.headers))
                assert answer.is_success, (name, answer.text)
            asyncio.run(until(lambda: _read(client) == Counter(map(_shown, expected)), 30))  # noqa: B023 - now


def _client(target: Target) -> httpx.Client:
    return httpx.Client(base_url=target.url, auth=(target.public_key, target.secret_key), timeout=60)


def _all(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in found:
        if "type" in one:
            yield one
        yield from _all(one.get("observations", []))


def _shown(one: dict[str, Any]) -> tuple[object, ...]:
    texts = (json.dumps(one.get(side) or "", sort_keys=True) for side in ("input", "output"))
    counted = sorted(one.get("usage", {}).items())
    return one["name"], one["type"], one.get("level", "DEFAULT"), one.get("model", ""), *texts, str(counted)


def _read(client: httpx.Client) -> Counter[tuple[object, ...]]:
    rows = client.get("/api/public/observations", params={"limit": 100}).raise_for_status().json()["data"]
    known = [{**row, "model": row["model"] or "", "usage": row["usageDetails"]} for row in rows]
    return Counter(_shown({**row, "level": row["level"]}) for row in known)


def test_exporters_lose_and_double_nothing_while_replicas_die_and_are_replaced(stack: Stack, tmp_path: Path) -> None:
    bench = asyncio.run(connect("exporters", stack.settings))
    end = tmp_path / "end"
    running = {name: _exporting(name, bench.target, stack, end) for name in EXPORTERS}
    try:
        time.sleep(3)
        kill_the_replica(stack)
        stack.heliograph("deploy")
        time.sleep(5)
    finally:
        end.touch()
        sent = {name: process.communicate(timeout=180)[0].split() for name, process in running.items()}
    every = [span for spans in sent.values() for span in spans]
    assert all(len(spans) > 100 for spans in sent.values()), {name: len(spans) for name, spans in sent.items()}

    asyncio.run(until(lambda: bench.stored()[0] >= len(every), 60))

    sql = "SELECT id FROM observations FINAL WHERE project_id = {p:String}"
    found = [span for (span,) in bench.clickhouse.query(sql, parameters={"p": bench.project_id}).result_rows]
    assert sorted(found) == sorted(every)
    # One trace for each span: all of them have been counted once.
    assert bench.stored()[1] == len(every)


def _exporting(name: str, target: Target, stack: Stack, end: Path) -> subprocess.Popen[str]:
    emitter, arguments, seconds = EXPORTERS[name]
    endpoint = f"http://{stack.settings.grpc_address}" if name == "grpc" else f"{target.url}/api/public/otel"
    own = connection("", target.url, keys=(target.public_key, target.secret_key))
    environment = {**stack.environment, **own, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    environment |= {"OTEL_EXPORTER_OTLP_TIMEOUT": seconds}
    return subprocess.Popen(
        [*environments.command(emitter), *arguments, str(end)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=sys.stderr,
        text=True,
    )

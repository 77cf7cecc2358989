"""What emitters really send, through the front door of a whole stack."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.acceptance.stack import Stack
from tests.benchmarks.load import Target
from tests.benchmarks.stack import connect, until
from tests.emitters import recording, seen

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(900)]


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

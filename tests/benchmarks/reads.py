"""Reads through HTTP: `python -m tests.benchmarks.reads --traces 10000` loads a project and times the first routes.

Every figure is shown beside its ceiling: the same answer's data read from ClickHouse alone, without the API.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

import httpx

from tests.benchmarks import report
from tests.benchmarks.load import Load, Sent, templates
from tests.benchmarks.stack import connect, until

_REPETITIONS = 40


@dataclass(frozen=True)
class Route:
    """A request, and the least that ClickHouse must do for it."""

    name: str
    path: str
    sql: str


_TRACES = "SELECT id, name, total_cost FROM traces FINAL WHERE project_id = {project:String}"
_OBSERVATIONS = "SELECT id, input, output FROM observations FINAL WHERE project_id = {project:String}"


def routes(trace_id: str) -> list[Route]:
    """The first reads of the API."""
    api = "/api/public"
    newest = " ORDER BY timestamp DESC LIMIT 50"
    return [
        Route("list of 50 traces", f"{api}/traces?limit=50", _TRACES + newest),
        Route(
            "traces of one user", f"{api}/traces?limit=50&userId=user-7", _TRACES + " AND user_id = 'user-7'" + newest
        ),
        Route("one trace", f"{api}/traces/{trace_id}", _OBSERVATIONS + " AND trace_id = {trace:String}"),
        Route(
            "50 observations", f"{api}/v2/observations?limit=50", _OBSERVATIONS + " ORDER BY start_time DESC LIMIT 50"
        ),
    ]


async def run(traces: int) -> Mapping[str, object]:
    """Load, then time each route and its ceiling."""
    stack = await connect("reads")
    load = Load(stack.target, templates(64, 500), 8, max_spans=traces * 10, max_seconds=900)
    sent = await load.run()
    await until(lambda: stack.arrived() >= sent.acknowledged, 300)
    figures: dict[str, object] = {"observations": sent.acknowledged}
    login = (stack.target.public_key, stack.target.secret_key)
    async with httpx.AsyncClient(base_url=stack.target.url, auth=login, timeout=60) as client:
        first = (await client.get("/api/public/traces?limit=1")).json()["data"][0]["id"]
        for route in routes(first):
            through_api = await _times(partial(_get, client, route.path))
            bound = {"project": stack.project_id, "trace": first}
            alone = await _times(partial(asyncio.to_thread, stack.clickhouse.query_arrow, route.sql, parameters=bound))
            figures[f"{route.name}: p50 ms"] = through_api.percentile(0.5) * 1000
            figures[f"{route.name}: p95 ms"] = through_api.percentile(0.95) * 1000
            figures[f"{route.name}: ceiling p50 ms"] = alone.percentile(0.5) * 1000
    return figures


async def _get(client: httpx.AsyncClient, path: str) -> None:
    (await client.get(path)).raise_for_status()


async def _times(call: Callable[[], Awaitable[object]]) -> Sent:
    sent = Sent()
    for _ in range(_REPETITIONS):
        started = time.monotonic()
        await call()
        sent.latencies.append(time.monotonic() - started)
    return sent


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=10_000)
    arguments = parser.parse_args()
    report.show("reads", asyncio.run(run(arguments.traces)))


if __name__ == "__main__":
    main()

"""Reads through HTTP, at two sizes: `python -m tests.benchmarks.reads --traces 100000` loads rows and times routes.

The rows go into ClickHouse directly, in a project of their own for each size: a tenth of the traces first, then all.
Every figure stands beside its floor and its aim, the p95 in milliseconds with a million observations on two cores.
"""

import argparse
import asyncio
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from storage.clickhouse.connection import connect_blocking
from storage.clickhouse.deferred import DeferredClient
from storage.clickhouse.writer import Writer
from tests.benchmarks import report
from tests.benchmarks.load import Sent
from tests.benchmarks.read_rows import PER_TRACE, PERIOD, tables
from tests.benchmarks.stack import Stack, connect

_REPETITIONS = 40
_API = "/api/public"


@dataclass(frozen=True)
class Route:
    """A request, and how fast it should be: p95 in milliseconds."""

    name: str
    path: str
    floor: float
    aim: float


def _filtered(path: str, *conditions: dict[str, Any]) -> str:
    return f"{_API}/{path}filter={quote(orjson.dumps(conditions))}"


def _metrics(**parts: Any) -> str:
    query = {"view": "observations", "fromTimestamp": PERIOD[0].isoformat(), "toTimestamp": PERIOD[1].isoformat()}
    return f"{_API}/v2/metrics?query={quote(orjson.dumps(query | parts))}"


def routes(trace_id: str) -> list[Route]:
    """What clients ask most."""
    team = {"type": "stringObject", "column": "metadata", "key": "team", "operator": "=", "value": "team 7"}
    needle = {"type": "string", "column": "output", "operator": "matches", "value": "needle"}
    cost = [{"measure": "totalCost", "aggregation": "sum"}]
    percentiles = [{"measure": "latency", "aggregation": each} for each in ("p50", "p95", "p99")]
    model, name = [{"field": "providedModelName"}], [{"field": "name"}]
    by_day = {"timeDimension": {"granularity": "day"}, "config": {"row_limit": 1000}}
    return [
        Route("50 traces with metrics", f"{_API}/traces?limit=50&fields=core,metrics", 60, 20),
        Route("50 traces of one user", f"{_API}/traces?limit=50&fields=core,metrics&userId=user-7", 60, 20),
        Route("50 traces of one tag", f"{_API}/traces?limit=50&fields=core,metrics&tags=tag-7", 60, 20),
        Route("50 traces by metadata", _filtered("traces?limit=50&fields=core,metrics&", team), 80, 30),
        Route("50 traces, every field", f"{_API}/traces?limit=50", 60, 20),
        Route("one trace", f"{_API}/traces/{trace_id}", 60, 15),
        Route("full text in outputs", _filtered("v2/observations?limit=50&", needle), 150, 60),
        Route("cost by model and day", _metrics(dimensions=model, metrics=cost, **by_day), 100, 30),
        Route("latency percentiles by name", _metrics(dimensions=name, metrics=percentiles), 120, 40),
    ]


async def run(traces: int) -> list[dict[str, object]]:
    """Load and time a tenth of the traces, then all; one row for each route."""
    small, large = await _measured(traces // 10), await _measured(traces)
    rows: list[dict[str, object]] = []
    for route in routes(""):
        at_small, at_large = small[route.name], large[route.name]
        rows.append(
            {
                "route": route.name,
                "p50 ms, a tenth": at_small.percentile(0.5) * 1000,
                "p95 ms, a tenth": at_small.percentile(0.95) * 1000,
                "p50 ms": at_large.percentile(0.5) * 1000,
                "p95 ms": at_large.percentile(0.95) * 1000,
                "floor": route.floor,
                "aim": route.aim,
            }
        )
    return rows


async def _measured(traces: int) -> dict[str, Sent]:
    stack = await connect(f"reads-{traces * PER_TRACE}")
    await asyncio.to_thread(_load, stack, traces)
    login = (stack.target.public_key, stack.target.secret_key)
    async with httpx.AsyncClient(base_url=stack.target.url, auth=login, timeout=60) as client:
        return {route.name: await _times(client, route.path) for route in routes(f"{traces // 2:032x}")}


def _load(stack: Stack, traces: int) -> None:
    settings = stack.settings
    writer = Writer(DeferredClient(lambda: connect_blocking(settings.clickhouse, settings.clickhouse_url)))
    for table, rows in tables(stack.project_id, traces):
        writer.insert(table, rows)
    # Merges and text indexes of a running stack are done within minutes; here they are waited for.
    for table in ("traces", "observations"):
        stack.clickhouse.command(f"OPTIMIZE TABLE {table}", settings={"optimize_throw_if_noop": 0})


async def _times(client: httpx.AsyncClient, path: str) -> Sent:
    sent = Sent()
    for _ in range(_REPETITIONS + 1):
        started = time.monotonic()
        (await client.get(path)).raise_for_status()
        sent.latencies.append(time.monotonic() - started)
    # The first one warms up.
    sent.latencies.pop(0)
    return sent


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=100_000)
    arguments = parser.parse_args()
    report.show_rows("reads", asyncio.run(run(arguments.traces)))


if __name__ == "__main__":
    main()

"""Ingestion, bulk and small: `python -m tests.benchmarks.ingestion bulk|small` against a running stack.

bulk: 500-span requests over 8 connections. small: 10-span requests over 64 connections.
"""

import argparse
import asyncio
import time
from collections.abc import Mapping
from decimal import Decimal

from storage.objects import connection as objects
from tests.benchmarks import ceiling, report
from tests.benchmarks.load import Load, Sent, Template, templates
from tests.benchmarks.stack import MemoryWatch, Stack, connect, until

_SHAPES = {"bulk": (500, 8), "small": (10, 64)}


def log_objects(stack: Stack) -> int:
    """How many segments the raw log holds."""
    client = objects.connect(stack.settings.s3, stack.settings.s3_url)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=stack.settings.s3.bucket, Prefix="wal/")
    return sum(page.get("KeyCount", 0) for page in pages)


def expected_cost(stack: Stack, requests: list[Template], sent: Sent) -> Decimal:
    """The cost of everything acknowledged, computed from the mapping alone."""
    costs = [
        sum(ceiling.rows_of(template, stack.project_id)["total_cost"].to_pylist(), Decimal()) for template in requests
    ]
    return sum((costs[index] * copies for index, copies in sent.copies.items()), Decimal())


async def run(kind: str, spans: int, seconds: float, ceiling_rows: int) -> Mapping[str, object]:
    """Measure the ceiling, then the stack, then check that what was acknowledged is stored exactly once."""
    stack = await connect(kind)
    per_request, connections = _SHAPES[kind]
    requests = templates(64, per_request)
    best = ceiling.measure(stack, templates(40, 500), ceiling_rows) if ceiling_rows else 0.0
    objects_before = log_objects(stack)
    memory = MemoryWatch()
    started = time.monotonic()
    sent = await memory.watched(Load(stack.target, requests, connections, spans, seconds).run())
    await until(lambda: stack.arrived() >= sent.acknowledged, max_seconds=300)
    queryable = time.monotonic() - started
    observations, traces, cost = stack.stored()
    rate = sent.acknowledged / sent.seconds
    written = log_objects(stack) - objects_before
    return {
        "spans acknowledged": sent.acknowledged,
        "seconds": sent.seconds,
        "acknowledged spans/s": rate,
        "acknowledged requests/s": sent.requests / sent.seconds,
        "queryable spans/s": sent.acknowledged / queryable,
        "ceiling spans/s": best,
        "acknowledged / ceiling": rate / best if best else 0.0,
        "queryable / acknowledged": sent.seconds / queryable,
        "request p50 ms": sent.percentile(0.5) * 1000,
        "request p95 ms": sent.percentile(0.95) * 1000,
        "refused": sent.refused,
        "log objects per million spans": written / sent.acknowledged * 1e6,
        "lost": sent.acknowledged - observations,
        "traces": traces,
        "cost error": Decimal(cost) - expected_cost(stack, requests, sent),
        "peak PSS MB": memory.megabytes(),
    }


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(_SHAPES))
    parser.add_argument("--spans", type=int, default=2_000_000)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--ceiling-rows", type=int, default=300_000)
    arguments = parser.parse_args()
    figures = asyncio.run(run(arguments.kind, arguments.spans, arguments.seconds, arguments.ceiling_rows))
    report.show(f"ingestion {arguments.kind}", figures)


if __name__ == "__main__":
    main()

"""kill -9 of every process of the stack under load, then `up`: every acknowledged span is there exactly once."""

import asyncio
import contextlib
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from tests.acceptance.stack import running
from tests.benchmarks import ceiling
from tests.benchmarks.load import Load, Sent, templates
from tests.benchmarks.stack import connect, until

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(900)]

ROUNDS = 2


@pytest.mark.parametrize("shape", [(100, 8)])
def test_acknowledged_spans_survive_the_death_of_everything(tmp_path: Path, shape: tuple[int, int]) -> None:
    spans, connections = shape
    requests = templates(8, spans)
    with running(tmp_path) as stack:
        bench = asyncio.run(connect("kill", stack.settings))
        acknowledged: dict[int, int] = {}
        for _ in range(ROUNDS):
            sent = Sent()
            load = Load(bench.target, requests, connections, max_spans=10**7, max_seconds=60)
            thread = threading.Thread(target=_run, args=(load, sent))
            thread.start()
            _wait_for(sent, 4_000)
            assert stack.kill_everything() > 10
            thread.join(60)
            for index, copies in sent.copies.items():
                acknowledged[index] = acknowledged.get(index, 0) + copies
            stack.heliograph("up")
        total = sum(acknowledged.values()) * spans
        asyncio.run(until(lambda: bench.stored()[0] >= total, 60))
        rows = [ceiling.rows_of(template, bench.project_id) for template in requests]
        cost_of = [sum(table["total_cost"].to_pylist(), Decimal()) for table in rows]
        observations, traces, cost = bench.stored()
        # What was sent but not acknowledged may be there as well; it is whole traces, each once.
        assert observations >= total
        assert observations == traces * 10
        duplicates = bench.clickhouse.query(
            "SELECT count() FROM (SELECT id FROM observations FINAL WHERE project_id = {p:String}"
            " GROUP BY id HAVING count() > 1)",
            parameters={"p": bench.project_id},
        ).result_rows
        assert duplicates == [(0,)]
        expected = sum((cost_of[index] * copies for index, copies in acknowledged.items()), Decimal())
        recomputed = bench.clickhouse.query(
            "SELECT toString(sum(total_cost)) FROM observations FINAL WHERE project_id = {p:String}",
            parameters={"p": bench.project_id},
        ).result_rows[0][0]
        assert Decimal(cost) == Decimal(recomputed) >= expected


def _run(load: Load, sent: Sent) -> None:
    with contextlib.suppress(OSError, RuntimeError, asyncio.IncompleteReadError):
        asyncio.run(load.run(sent))


def _wait_for(sent: Sent, spans: int) -> None:
    asyncio.run(until(lambda: sent.acknowledged >= spans, 60))

"""Whole evaluation runs: `python -m tests.benchmarks.runs` against a running stack, whose provider is a local one.

Rows go into ClickHouse directly; three heuristics judge all of them, then a judge some. Beside the scores that are
stored a second stands the ideal: the same heuristics over the same rows in this process, and what slots allow at that
latency. The stack has to allow loopback: HELIOGRAPH_OUTBOUND__ALLOWED_NETWORKS='["127.0.0.0/8"]'.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from evals import structured, text
from heliograph.client.connecting import connect as connect_project
from heliograph.client.evaluations import AskedEvaluator, on_server
from heliograph.client.project import Project
from heliograph.client.selections import Selection
from pipelines.cluster import processors
from tests.benchmarks import report
from tests.benchmarks.client import loaded
from tests.benchmarks.stack import Stack, until

HEURISTICS = (text.is_refusal(), text.readability(), structured.json_valid())
_JUDGE = on_server("relevance", judge="local/gpt-4o-mini")
_SLOTS_OF_WORKER = 64


def run(rows: int, judged: int, *, latency: float, port: int) -> dict[str, object]:
    """Load, then evaluate by heuristics and by a judge."""
    stack = loaded(rows, "runs")
    target = stack.target
    with connect_project(target.url, target.public_key, target.secret_key) as project, provider(latency, port) as url:
        project.llm_connections.put("local", secret_key="sk-local-123456", base_url=url)
        everything = project.observations()
        figures: dict[str, object] = {}
        figures |= _measured(stack, project, everything, by=[one.name for one in HEURISTICS])
        figures["heuristics, ideal: evaluations/s"] = _ideal(everything)
        some = everything.sample(min(1.0, judged / rows))
        figures |= _measured(stack, project, some, by=[_JUDGE])
    figures["judge, ideal: evaluations/s"] = processors() * _SLOTS_OF_WORKER / latency
    return figures


@contextmanager
def provider(latency: float, port: int) -> Iterator[str]:
    """A provider in a process of its own; its address."""
    command = [sys.executable, "-m", "tests.provider", "--port", str(port), "--latency", str(latency)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()


def _measured(
    stack: Stack, project: Project, selection: Selection, *, by: list[AskedEvaluator]
) -> Mapping[str, object]:  # fmt: skip
    name = "judge" if _JUDGE in by else "heuristics"
    run = project.evaluate(selection, by, budget_usd=10)
    before, started = _scores(stack), time.monotonic()
    progress = run.wait()
    expected = before + sum(counted["scored"] for counted in progress.report.counts.values())
    asyncio.run(until(partial(_has, stack, expected), 120))
    seconds, stored = time.monotonic() - started, _scores(stack) - before
    return {
        f"{name}: rows": progress.report.rows,
        f"{name}: scores stored": stored,
        f"{name}: s": seconds,
        f"{name}: scores/s": stored / seconds,
        f"{name}: state": str(run.state),
    }


def _has(stack: Stack, scores: int) -> bool:
    return _scores(stack) >= scores


def _scores(stack: Stack) -> int:
    query = "SELECT count() FROM scores FINAL WHERE project_id = {project:String}"
    ((count,),) = stack.clickhouse.query(query, parameters={"project": stack.project_id}).result_rows
    return int(count)


def _ideal(selection: Selection) -> float:
    table = selection.select(["output"]).limit(20_000).to_arrow()
    started = time.process_time()
    for evaluator in HEURISTICS:
        evaluator.evaluate_batch(table)
    return float(table.num_rows * len(HEURISTICS) / (time.process_time() - started))


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--judged", type=int, default=2_000)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds")
    parser.add_argument("--port", type=int, default=21_092)
    given = parser.parse_args()
    report.show("evaluation runs", run(given.rows, given.judged, latency=given.latency, port=given.port))


if __name__ == "__main__":
    main()

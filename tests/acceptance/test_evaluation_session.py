"""A notebook session over much history: selected to frames, evaluated under a budget, killed three times, gone on with.

`HELIOGRAPH_ACCEPTANCE_OBSERVATIONS=200000` has it over so many; a few thousand are the default.
"""

import asyncio
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import ray

from heliograph.client.connection import Connection, Server
from heliograph.client.project import Project
from heliograph.settings import LOOPBACK
from storage.clickhouse.connection import connect_blocking
from storage.clickhouse.deferred import DeferredClient
from storage.clickhouse.writer import Writer
from tests.acceptance.stack import Stack, running
from tests.benchmarks.read_rows import PER_TRACE, tables
from tests.benchmarks.stack import Stack as Bench
from tests.benchmarks.stack import connect
from tests.provider import Provider, serving

OBSERVATIONS = int(os.environ.get("HELIOGRAPH_ACCEPTANCE_OBSERVATIONS", "6000"))
# Of the judge: what an estimate bounds it by, many times its real cost.
BUDGET_USD = 0.002 * OBSERVATIONS
SCORES = ("is_refusal", "readability", "is_short", "relevance")

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(900 + OBSERVATIONS // 20)]

DRIVES = """
    import sys
    import heliograph
    from heliograph import on_server

    def is_short(output: str) -> bool:
        return len(output) < 400

    project = heliograph.connect()
    if RUN:
        run = project.run(RUN, [is_short])
    else:
        judge = on_server("relevance", judge="local/gpt-4o-mini")
        evaluators = ["is_refusal", "readability", judge, is_short]
        run = project.evaluate(project.observations(), evaluators, budget_usd=BUDGET)
    print(run.id, flush=True)
    print(run.wait().report, flush=True)
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Bench, Provider]]:
    """A stack with so many observations, whose project may ask a model."""
    allowed = {"HELIOGRAPH_OUTBOUND__ALLOWED_NETWORKS": '["127.0.0.0/8"]'}
    with running(tmp_path_factory.mktemp("session"), **allowed) as stack, serving(Provider(0.02)) as provider:
        provider.keeps_requests = False
        settings = stack.settings
        bench = asyncio.run(connect("session", settings))
        writer = Writer(DeferredClient(lambda: connect_blocking(settings.clickhouse, settings.clickhouse_url)))
        for table, rows in tables(bench.project_id, OBSERVATIONS // PER_TRACE):
            writer.insert(table, rows)
        with project_of(bench) as project:
            project.llm_connections.put("local", secret_key="sk-local-123456", base_url=provider.url)
        yield stack, bench, provider


def project_of(bench: Bench) -> Project:
    target = bench.target
    return Project(Connection(Server(target.url, target.public_key, target.secret_key)))


def drive(bench: Bench, run: str = "") -> subprocess.Popen[str]:
    """The cells of the notebook in a process of their own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HELIOGRAPH_", "LANGFUSE_"))}
    target = bench.target
    own = {
        "HELIOGRAPH_URL": target.url, "HELIOGRAPH_PUBLIC_KEY": target.public_key,
        "HELIOGRAPH_SECRET_KEY": target.secret_key,
    }  # fmt: skip
    head = f"RUN, BUDGET = {run!r}, {BUDGET_USD!r}\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + textwrap.dedent(DRIVES)], env=kept | own, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def scores(bench: Bench) -> int:
    found = bench.clickhouse.query(
        "SELECT count() FROM scores FINAL WHERE project_id = {p:String}", parameters={"p": bench.project_id}
    )
    return int(found.result_rows[0][0])


def until(condition: Callable[[], Any], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def workers(stack: Stack) -> list[Any]:
    return stack.titled("ray::MapBatches")


def test_everything_is_read_into_every_kind_of_frame(session: tuple[Stack, Bench, Provider]) -> None:
    _, bench, _ = session
    with project_of(bench) as project:
        selection = project.observations(select=["id", "output"])
        pandas, polars = selection.to_pandas(), selection.to_polars()
        ray.init(address="local", num_cpus=2, include_dashboard=False, _node_ip_address=LOOPBACK)
        try:
            by_ray = selection.to_ray(parallelism=8).select_columns(["id"]).to_pandas()
        finally:
            ray.shutdown()
    assert len(pandas) == polars.height == len(by_ray) == OBSERVATIONS
    assert pandas["id"].nunique() == OBSERVATIONS
    assert set(pandas["id"]) == set(polars["id"]) == set(by_ray["id"])
    assert (pandas["output"] != "").all()


def test_a_run_that_is_killed_three_times_gives_one_score_each_within_its_budget(
    session: tuple[Stack, Bench, Provider],
) -> None:
    stack, bench, provider = session
    first = drive(bench)
    assert first.stdout is not None
    run_id = first.stdout.readline().strip()
    until(lambda: scores(bench) > OBSERVATIONS // 20)
    first.kill()
    second = drive(bench, run_id)
    until(lambda: workers(stack))
    workers(stack)[0].kill()
    until(lambda: scores(bench) > OBSERVATIONS // 4)
    assert stack.kill_everything() > 10
    second.kill()
    stack.heliograph("up")
    third = drive(bench, run_id)
    out, err = third.communicate(timeout=600 + OBSERVATIONS // 20)
    assert third.returncode == 0, err
    assert out.startswith(run_id)
    with project_of(bench) as project:
        run = project.run(run_id)
        assert (run.state, run.blocked_by) == ("finished", "")
        progress = run.progress()
    until(lambda: scores(bench) == OBSERVATIONS * len(SCORES), 60)
    found = bench.clickhouse.query(
        "SELECT name, count(), uniqExact(observation_id) FROM scores FINAL WHERE project_id = {p:String} GROUP BY name",
        parameters={"p": bench.project_id},
    ).result_rows
    assert {row[0]: row[1:] for row in found} == dict.fromkeys(SCORES, (OBSERVATIONS, OBSERVATIONS))
    assert progress.report.rows == OBSERVATIONS
    assert {name: sum(counted.values()) for name, counted in progress.report.counts.items()} == dict.fromkeys(
        SCORES, OBSERVATIONS
    )
    assert progress.reserved_usd == 0
    assert progress.spent_usd > 0
    assert progress.spent_usd + progress.unknown_usd <= BUDGET_USD
    # What was answered and not yet written when it was killed is asked again, and no more than that.
    assert provider.statuses[200] <= OBSERVATIONS + 3 * 2_000

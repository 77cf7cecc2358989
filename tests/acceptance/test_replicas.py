"""What callers notice of what dies, sleeps or is replaced before them: an answer that tells them to come again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import httpx
import pytest

from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.connection import connect_blocking
from storage.clickhouse.deferred import DeferredClient
from storage.postgres.connection import Database
from storage.postgres.lanes import LaneRegistry
from tests.acceptance.stack import Stack
from tests.benchmarks import stack as benchmarks
from tests.benchmarks.load import PATH, templates
from tests.benchmarks.stack import connect, until
from tests.integration.actors.lane_bench import Bench, flushed, running

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(600)]

CALLERS = 4
CALM_ANSWERS = 20
# HAProxy holds a request of 16 kB until it is answered, and sends it to another replica; a larger one it has passed on,
# and its caller, who is told nothing, sends it again, as every exporter does after a broken connection.
HELD_SPANS, PASSED_ON_SPANS = 10, 100


@dataclass
class Calls:
    """What the callers were told."""

    answers: list[httpx.Response] = field(default_factory=list)
    broken: list[httpx.TransportError] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    is_over: bool = False

    @property
    def is_calm(self) -> bool:
        latest = self.answers[-CALM_ANSWERS:]
        return self.is_over and len(latest) == CALM_ANSWERS and all(answer.status_code == 200 for answer in latest)


async def called_during(bench: benchmarks.Stack, work: Callable[[], object], spans: int = HELD_SPANS) -> Calls:
    """Call without a pause while something is done to the stack, and until it is calm again."""
    calls = Calls()
    login = (bench.target.public_key, bench.target.secret_key)
    (template,) = templates(1, spans)

    async def caller(http: httpx.AsyncClient) -> None:
        while not calls.is_calm:
            traces, ids = template.fresh_ids()
            body, is_acknowledged = template.filled(traces, ids), False
            while not is_acknowledged:
                try:
                    answer = await http.post(PATH, content=body, headers={"content-type": "application/x-protobuf"})
                except httpx.TransportError as error:
                    calls.broken.append(error)
                    continue
                calls.answers.append(answer)
                is_acknowledged = answer.status_code == 200
                await asyncio.sleep(0.02 if is_acknowledged else 0.2)
            calls.acknowledged |= {span.tobytes().hex() for span in ids}

    async with httpx.AsyncClient(base_url=bench.target.url, auth=login, timeout=60) as http:
        callers = [asyncio.create_task(caller(http)) for _ in range(CALLERS)]
        await asyncio.sleep(1)
        await asyncio.to_thread(work)
        calls.is_over = True
        await asyncio.gather(*callers)
    return calls


def assert_nothing_is_lost(bench: benchmarks.Stack, calls: Calls) -> None:
    assert {answer.status_code for answer in calls.answers} <= {200, 503}
    asyncio.run(until(lambda: bench.stored()[0] >= len(calls.acknowledged), 60))
    sql = "SELECT id FROM observations FINAL WHERE project_id = {p:String}"
    found = [span for (span,) in bench.clickhouse.query(sql, parameters={"p": bench.project_id}).result_rows]
    assert sorted(found) == sorted(calls.acknowledged)


def kill_the_replica(stack: Stack) -> None:
    asyncio.run(until(lambda: bool(stack.titled("ray::ServeReplica:ingest")), 60))
    (victim,) = stack.titled("ray::ServeReplica:ingest")
    victim.kill()


def sleep_through_a_take_over(stack: Stack, project_id: str) -> None:
    """Stop the lanes' owners, have another own the project's lane for a moment, and let the old ones continue."""
    owners = stack.titled("ray::LaneActor")
    for owner in owners:
        owner.suspend()
    try:
        asyncio.run(take_over(stack, project_id))
    finally:
        for owner in owners:
            owner.resume()


async def take_over(stack: Stack, project_id: str) -> None:
    settings, project = stack.settings, ProjectId(project_id)
    database = Database(settings.postgres_dsn)
    (number,) = (await LaneRegistry(database).lane_map()).lanes_of(project)
    clickhouse = DeferredClient(lambda: connect_blocking(settings.clickhouse, settings.clickhouse_url))
    async with running(Bench(settings, clickhouse, database, number, project).lane()) as twin:
        await flushed(twin)
    await database.close()


def with_stores_by_address(stack: Stack) -> Stack:
    """The same stack for `deploy`, which is for stores that several machines can reach."""
    settings = stack.settings
    addresses = {
        "HELIOGRAPH_CLICKHOUSE__URL": settings.clickhouse_url,
        "HELIOGRAPH_S3__URL": settings.s3_url,
        "HELIOGRAPH_POSTGRES__URL": settings.postgres_dsn.replace("postgresql+psycopg://", "postgresql://", 1),
    }
    return replace(stack, chosen={**stack.chosen, **addresses})


def test_an_ingestion_replica_that_dies_in_mid_request_costs_no_request_that_is_held(stack: Stack) -> None:
    bench = asyncio.run(connect("replica", stack.settings))
    calls = asyncio.run(called_during(bench, lambda: kill_the_replica(stack)))
    assert calls.broken == []
    assert_nothing_is_lost(bench, calls)


def test_what_was_passed_on_to_a_replica_that_dies_is_stored_once_when_it_is_sent_again(stack: Stack) -> None:
    bench = asyncio.run(connect("passed on", stack.settings))
    calls = asyncio.run(called_during(bench, lambda: kill_the_replica(stack), PASSED_ON_SPANS))
    assert_nothing_is_lost(bench, calls)


def test_a_rolling_restart_costs_no_request(stack: Stack) -> None:
    bench = asyncio.run(connect("rolling", stack.settings))
    before = {process.pid for process in stack.processes()}
    calls = asyncio.run(called_during(bench, lambda: with_stores_by_address(stack).heliograph("deploy")))
    assert calls.broken == []
    assert_nothing_is_lost(bench, calls)
    replicas = stack.titled("ray::ServeReplica:ingest")
    assert replicas
    assert before.isdisjoint(process.pid for process in replicas)


def test_a_lane_that_slept_through_a_take_over_refuses_and_its_successor_stores_everything_once(stack: Stack) -> None:
    bench = asyncio.run(connect("twin", stack.settings))
    calls = asyncio.run(called_during(bench, lambda: sleep_through_a_take_over(stack, bench.project_id)))
    assert calls.broken == []
    assert_nothing_is_lost(bench, calls)
    assert 503 in {answer.status_code for answer in calls.answers}
    assert all(answer.headers["retry-after"] for answer in calls.answers if answer.status_code == 503)

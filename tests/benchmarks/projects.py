"""Many projects beside a hot one: `python -m tests.benchmarks.projects` against a running stack.

Each of 300 projects sends one small request a second, while another one sends bulk as fast as it is let.
"""

import argparse
import asyncio
import multiprocessing
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal

from heliograph.settings import Settings
from storage.clickhouse.connection import connect_blocking
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.projects import Projects
from tests.benchmarks import report
from tests.benchmarks.ingestion import expected_cost
from tests.benchmarks.load import Load, Sent, Target, templates
from tests.benchmarks.stack import MemoryWatch, Stack, connect, until

_SMALL_SPANS = 10
_BULK_SPANS = 500
_BULK_CONNECTIONS = 8
_NO_BOUND = 10**9


async def quiet_projects(settings: Settings, count: int) -> list[tuple[str, Target]]:
    """So many projects with a key each, made in PostgreSQL without a command for each."""
    database = Database(settings.postgres_dsn)
    projects, keys = Projects(database), ApiKeys(database, settings.pepper)
    run = int(time.time())
    made = []
    for number in range(count):
        project = await projects.create(f"quiet-{run}-{number}")
        key = await keys.create(project.id, note="benchmark")
        made.append((str(project.id), Target(settings.url, key.public_key, key.secret_key)))
    await database.close()
    return made


async def small_load(targets: Sequence[Target], seconds: float, cut: list[str]) -> Sent:
    """One small request a second from each, at moments of their own; names whose connection was cut."""
    requests = templates(4, _SMALL_SPANS)
    sent = Sent()
    started = time.monotonic()

    async def one(target: Target) -> None:
        await asyncio.sleep(random.random())
        mine = Sent()
        while (left := started + seconds - time.monotonic()) > 0:
            try:
                await Load(target, requests, 1, _NO_BOUND, left, spans_per_second=_SMALL_SPANS).run(mine)
            except (ConnectionError, asyncio.IncompleteReadError):
                cut.append(target.public_key)
        sent.acknowledged += mine.acknowledged
        sent.requests += mine.requests
        sent.refused += mine.refused
        sent.latencies += mine.latencies

    await asyncio.gather(*(one(target) for target in targets))
    sent.seconds = time.monotonic() - started
    return sent


def bulk_load(target: Target, seconds: float) -> Sent:
    """Bulk from a process of its own: making its requests must not delay the small ones."""
    return asyncio.run(Load(target, templates(64, _BULK_SPANS), _BULK_CONNECTIONS, _NO_BOUND, seconds).run())


def stored(settings: Settings, project_ids: Sequence[str]) -> int:
    """Observations of these projects, as readers see them."""
    client = connect_blocking(settings.clickhouse, settings.clickhouse_url)
    ((count,),) = client.query(
        "SELECT count() FROM observations FINAL WHERE project_id IN {projects:Array(String)}",
        parameters={"projects": list(project_ids)},
    ).result_rows
    return int(count)


async def run(count: int, seconds: float, *, is_alone: bool) -> Mapping[str, object]:
    """Both loads at once, or the small one alone, which shows what the hot project costs its neighbours."""
    stack = await connect("hot")
    quiet = await quiet_projects(stack.settings, count)
    targets = [target for _, target in quiet]
    memory = MemoryWatch()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        bulk, cut = Sent(), list[str]()
        small = asyncio.create_task(memory.watched(small_load(targets, seconds, cut)))
        if not is_alone:
            bulk = await asyncio.get_running_loop().run_in_executor(pool, bulk_load, stack.target, seconds)
        sent = await small
    names = [project_id for project_id, _ in quiet]
    await until(lambda: stored(stack.settings, names) >= sent.acknowledged, max_seconds=300, pause=0.5)
    await until(lambda: stack.arrived() >= bulk.acknowledged, max_seconds=300)
    return {
        "small projects": count,
        "small requests/s": sent.requests / sent.seconds,
        "small p50 ms": sent.percentile(0.5) * 1000,
        "small p95 ms": sent.percentile(0.95) * 1000,
        "small p99 ms": sent.percentile(0.99) * 1000,
        "small max ms": max(sent.latencies) * 1000,
        "small refused": sent.refused,
        "small connections cut": len(cut),
        "small lost": sent.acknowledged - stored(stack.settings, names),
        "bulk spans/s": bulk.acknowledged / bulk.seconds if bulk.seconds else 0.0,
        "bulk p95 ms": bulk.percentile(0.95) * 1000,
        "bulk refused": bulk.refused,
        "bulk lost": bulk.acknowledged - stack.stored()[0],
        "bulk cost error": _cost_error(stack, bulk),
        "peak PSS MB": memory.megabytes(),
    }


def _cost_error(stack: Stack, bulk: Sent) -> Decimal:
    return Decimal(stack.stored()[2]) - expected_cost(stack, templates(64, _BULK_SPANS), bulk)


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--alone", action="store_true", help="without the hot project")
    arguments = parser.parse_args()
    figures = asyncio.run(run(arguments.projects, arguments.seconds, is_alone=arguments.alone))
    report.show("many projects", figures)


if __name__ == "__main__":
    main()

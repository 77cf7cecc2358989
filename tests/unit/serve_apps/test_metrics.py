"""One scrape shows what all processes have reported, to those who may see it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from actors.lane_measures import LaneMeasures
from actors.metrics_board import KEEP_SECONDS, MetricsBoard, Reporter
from heliograph.measures import METRICS, Distribution, Kind, Sample, histogram, samples
from serve_apps import metrics, problems
from serve_apps.metrics import Scrape
from serve_apps.replica_meter import Metered, ReplicaMeter


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def parsed(text: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(text.decode())
    found = [sample for family in families for sample in family.samples]
    values = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in found}
    assert len(values) == len(found), "a series is there twice"
    return values


def value(text: bytes, name: str, **labels: str) -> float:
    return parsed(text)[name, frozenset(labels.items())]


def lane_status(records: int = 0, **changed: object) -> dict[str, object]:
    durations, rows = Distribution((0.1, 1.0)), Distribution((10.0,))
    durations.observe(0.05)
    rows.observe(500)
    status = {
        "lane": 0,
        "epoch": 3,
        "is_ready": True,
        "is_stalled": False,
        "head_segment": 12,
        "cursor_segment": 0,
        "checkpoint_segment": 0,
        "waiting_segments": 2,
        "oldest_unflushed_seconds": 0.2,
        "backlog_bytes": 10,
        "checkpoint_failures": 0,
        "unreadable_segments": 0,
        "set_aside_segments": 0,
        "appended": {"records": records, "segments": 4, "nbytes": 100, "failures": 0},
        "merged": {"records": records // 2, "failures": 0, "flushes": 1, "reread": 0},
        "inserted": {"failures": 1, "durations": vars(durations), "sizes": vars(rows)},
    }
    return status | changed


def asking(scrape: Scrape, **headers: str) -> httpx.Response:
    app = FastAPI()
    metrics.install(app, scrape)
    problems.install(app)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://heliograph", headers=headers) as client:
            return await client.get(metrics.PATH)

    return asyncio.run(ask())


def test_reports_of_all_processes_are_one_text_without_a_series_twice() -> None:
    board = MetricsBoard()
    measures = LaneMeasures()

    async def reported() -> list[Sample]:
        for lane in range(2):
            await board.report(f"lane-{lane}", measures.samples(lane_status(100, lane=lane)))
        for replica in ("a", "b"):
            await board.report(f"ingest {replica}", await ReplicaMeter("ingest", replica).samples())
        return await board.samples()

    text = metrics.exposition(asyncio.run(reported()))

    assert value(text, "heliograph_lane_acknowledged_events_total", lane="0") == 100
    assert value(text, "heliograph_lane_merged_events_total", lane="1") == 50
    assert value(text, "heliograph_lane_cursor_segment", lane="0") == 10
    assert value(text, "heliograph_insert_seconds_bucket", lane="0", le="0.1") == 1
    assert value(text, "heliograph_insert_rows_bucket", lane="0", le="10.0") == 0
    assert value(text, "heliograph_insert_rows_sum", lane="0") == 500
    assert value(text, "heliograph_loop_lag_seconds", door="ingest", replica="b") == 0
    assert text.count(b"# HELP heliograph_lane_epoch ") == 1


async def test_a_process_that_reports_no_more_vanishes_and_a_lanes_next_owner_takes_its_place() -> None:
    clock = Clock()
    board = MetricsBoard(clock)
    await board.report("ingest a", samples({"heliograph_loop_lag_seconds": 1.0}, replica="a"))
    await board.report("lane-0", samples({"heliograph_lane_epoch": 1.0}, lane="0"))
    clock.now += KEEP_SECONDS / 2
    await board.report("lane-0", samples({"heliograph_lane_epoch": 2.0}, lane="0"))

    clock.now += KEEP_SECONDS / 2

    assert [(sample.metric, sample.value) for sample in await board.samples()] == [("heliograph_lane_epoch", 2.0)]


def test_a_lanes_rates_are_those_since_the_last_report() -> None:
    clock = Clock()
    measures = LaneMeasures(clock)
    clock.now += 5
    measures.samples(lane_status(10_000))
    clock.now += 5

    found = {sample.metric: sample.value for sample in measures.samples(lane_status(15_000))}

    assert found["heliograph_lane_acknowledged_events_per_second"] == 1_000
    assert found["heliograph_lane_merged_events_per_second"] == 500


def test_a_distribution_counts_each_value_under_its_bound() -> None:
    seen = Distribution((1.0, 5.0))
    for observed in (0.5, 1.0, 3.0, 9.0):
        seen.observe(observed)

    found = histogram("heliograph_insert_seconds", **vars(seen), lane="0")

    assert [(sample.suffix, sample.value) for sample in found] == [
        ("_bucket", 2),
        ("_bucket", 3),
        ("_bucket", 4),
        ("_count", 4),
        ("_sum", 13.5),
    ]


class Unreachable:
    """A board that has died; it notes how often it was asked."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def report(self, source: str, reported: Sequence[Sample], keep_seconds: float) -> None:
        del reported, keep_seconds
        self.asked.set()
        raise OSError(source)

    async def samples(self) -> list[Sample]:
        raise OSError


async def test_a_report_that_fails_ends_nothing() -> None:
    board = Unreachable()
    reporting = asyncio.create_task(Reporter("ingest a", ReplicaMeter("ingest", "a").samples, board).run())

    await asyncio.wait_for(board.asked.wait(), 5)
    await asyncio.sleep(0)

    assert not reporting.done()
    reporting.cancel()


async def test_every_process_reports_its_memory_and_files() -> None:
    board = MetricsBoard()
    reporting = asyncio.create_task(Reporter("ingest a", ReplicaMeter("ingest", "a").samples, board).run())
    async with asyncio.timeout(5):
        while not (found := await board.samples()):  # noqa: ASYNC110 - the reporter tells nobody
            await asyncio.sleep(0.01)
    reporting.cancel()

    text = metrics.exposition(found)

    assert value(text, "heliograph_process_resident_bytes", process="ingest a") > 1e6
    assert value(text, "heliograph_process_open_files", process="ingest a") > 1


async def test_requests_are_counted_by_status_and_the_application_lives_as_before() -> None:
    meter = ReplicaMeter("api", "a")
    meter.add(lambda: {"heliograph_postgres_pool_in_use": 3.0})
    app = Starlette(routes=[Route("/here", lambda _: Response())])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Metered(app, meter)), base_url="http://x") as client:
        for path in ("/here", "/here", "/gone"):
            await client.get(path)

    text = metrics.exposition(await meter.samples())

    assert value(text, "heliograph_http_requests_total", door="api", replica="a", status="200") == 2
    assert value(text, "heliograph_http_requests_total", door="api", replica="a", status="404") == 1
    assert value(text, "heliograph_postgres_pool_in_use", door="api", replica="a") == 3


@pytest.mark.parametrize(
    ("token", "is_private", "sent", "status"),
    [
        ("", True, "", 200),
        ("", False, "", 403),
        ("", False, "Bearer ", 403),
        ("secret", True, "", 403),
        ("secret", True, "Bearer wrong", 403),
        ("secret", False, "Bearer secret", 200),
        ("secret", False, "Basic secret", 403),
    ],
)
def test_metrics_are_for_the_operator(token: str, sent: str, status: int, *, is_private: bool) -> None:
    scrape = Scrape(MetricsBoard(), token=token, is_private=is_private)

    response = asking(scrape, authorization=sent) if sent else asking(scrape)

    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/plain") == (status == 200)


def test_every_metric_is_explained_to_operators_and_no_other() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operating.md").read_text("utf-8")
    documented = {word.split("`")[0].split("{")[0] for word in page.split("| `heliograph_")[1:]}

    shown = {f"{name}_total" if metric.kind is Kind.COUNTER else name for name, metric in METRICS.items()}
    assert {f"heliograph_{word}" for word in documented} == shown

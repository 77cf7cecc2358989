"""A lane while a store refuses, sleeps or is full: what is acknowledged is kept, what is not leaves nothing behind."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from actors.lane import AppendStatus, Lane, PackedAppend
from heliograph.domain.events import pack
from heliograph.settings import CLICKHOUSE_HTTP, POSTGRES, S3, Settings
from migrations.columnar import Columnar
from storage.clickhouse.connection import connect_blocking
from storage.clickhouse.contributions import Contributions
from storage.clickhouse.deferred import DeferredClient
from storage.clickhouse.writer import Writer
from storage.embedded.clickhouse import ClickHouse
from storage.embedded.engine import Engine
from storage.embedded.seaweed import SeaweedFS
from storage.postgres.connection import Database
from storage.postgres.lanes import LaneRegistry
from tests.integration.actors.lane_bench import Bench, append, delivered, flushed, replace_settings, running
from tests.integration.engines import free_block
from tests.integration.engines import running as running_engines
from tests.integration.gateway import Gateway, gateway

TIGHT_BYTES = 5_000
TIGHT = replace_settings(max_backlog_bytes=TIGHT_BYTES)
# Longer than this a flush may take before ClickHouse counts as stalled.
SLEEP_SECONDS = 7.0

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")


@pytest.fixture
async def clickhouse(bench: Bench) -> AsyncIterator[Gateway]:
    async with gateway(bench.settings.port + CLICKHOUSE_HTTP) as before:
        yield before


def lane_behind(clickhouse: Gateway, bench: Bench) -> Lane:
    client = DeferredClient(lambda: connect_blocking(bench.settings.clickhouse, clickhouse.url))
    return bench.lane(TIGHT, writer=Writer(client), contributions=Contributions(client))


def stored(bench: Bench) -> list[int]:
    return sorted(int(row[1], 16) for row in bench.rows("observations"))


@contextmanager
def asleep(settings: Settings, engine: str) -> Iterator[None]:
    """Stop an engine with SIGSTOP; it continues as if nothing had happened."""
    pid, _ = json.loads((settings.data / "run" / f"{engine}.pid").read_text("utf-8"))
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_without_clickhouse_appends_are_durable_the_backlog_is_bounded_and_drains(
    bench: Bench, clickhouse: Gateway
) -> None:
    async with running(lane_behind(clickhouse, bench)) as lane:
        assert await append(lane, bench.batch(1)) is AppendStatus.DURABLE
        await flushed(lane)
        clickhouse.shut()
        held = []
        for number in range(2, 42):
            assert await append(lane, bench.batch(number)) is AppendStatus.DURABLE
            held.append((await lane.status())["backlog_bytes"])
        status = await lane.status()
        assert max(held) <= 2 * TIGHT_BYTES < sum(bench.batch(number).nbytes for number in range(2, 42))
        assert status["is_stalled"]
        assert status["waiting_segments"] >= 39
        clickhouse.reopen()
        await flushed(lane)
    assert stored(bench) == list(range(1, 42))


async def test_a_lane_that_starts_without_clickhouse_acknowledges_and_drains_later(
    bench: Bench, clickhouse: Gateway
) -> None:
    clickhouse.shut()
    async with running(lane_behind(clickhouse, bench)) as lane:
        for number in range(1, 6):
            assert await append(lane, bench.batch(number)) is AppendStatus.DURABLE
        assert stored(bench) == []
        clickhouse.reopen()
        await flushed(lane)
    assert stored(bench) == [1, 2, 3, 4, 5]


@pytest.mark.slow
async def test_a_clickhouse_that_sleeps_holds_up_no_append(bench: Bench) -> None:
    async with running(bench.lane(TIGHT)) as lane:
        await append(lane, bench.batch(1))
        await flushed(lane)
        waits: list[float] = []
        until = time.monotonic() + SLEEP_SECONDS
        number = 1
        with asleep(bench.settings, "clickhouse"):
            while time.monotonic() < until:
                number += 1
                started = time.monotonic()
                assert await append(lane, bench.batch(number)) is AppendStatus.DURABLE
                waits.append(time.monotonic() - started)
                await asyncio.sleep(0.1)
            assert (await lane.status())["is_stalled"]
        await flushed(lane)
    # The bound of the wait for room, and nothing once it is known to be asleep.
    assert max(waits) < 6
    assert max(waits[-5:]) < 1
    assert stored(bench) == list(range(1, number + 1))


async def test_without_postgres_flushing_goes_on_and_the_checkpoint_lags(bench: Bench) -> None:
    async with gateway(bench.settings.port + POSTGRES) as postgres:
        dsn = bench.settings.postgres_dsn.replace(f":{postgres.upstream_port}/", f":{postgres.port}/")
        database = Database(dsn)
        async with running(bench.lane(registry=LaneRegistry(database))) as lane:
            await append(lane, bench.batch(1))
            await flushed(lane)
            postgres.shut()
            for number in range(2, 7):
                assert await append(lane, bench.batch(number)) is AppendStatus.DURABLE
                await flushed(lane)
            assert stored(bench) == [1, 2, 3, 4, 5, 6]
            await _until(lane, "checkpoint_failures", 1)
            lagging = await lane.status()
            assert lagging["checkpoint_segment"] < lagging["cursor_segment"]
            postgres.reopen()
            await _until(lane, "checkpoint_segment", lagging["cursor_segment"])
        await database.close()
    recorded = await LaneRegistry(bench.database).checkpoint(bench.number)
    assert recorded is not None
    assert recorded.segment == lagging["cursor_segment"]


async def _until(lane: Lane, figure: str, least: int) -> None:
    for _ in range(1_000):
        if (await lane.status())[figure] >= least:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(figure)


async def test_without_s3_nothing_is_acknowledged_and_nothing_half_done(bench: Bench) -> None:
    async with (
        gateway(bench.settings.port + S3) as store,
        running(bench.lane(log=bench.log_at(store.url, timeout_seconds=1))) as lane,
    ):
        assert await append(lane, bench.batch(1)) is AppendStatus.DURABLE
        store.shut()
        packed = [PackedAppend(bench.project_id, pack(bench.batch(2)))]
        ((status, retry_after, _),) = await lane.append(packed, 10**6)
        assert (status, retry_after > 0) == (AppendStatus.UNAVAILABLE, True)
        store.reopen()
        assert await append(lane, bench.batch(3)) is AppendStatus.DURABLE
        await flushed(lane)
    assert stored(bench) == [1, 3]
    assert [listed.position.segment for listed in bench.log.segments_after(None)] == [1, 2]


@pytest.mark.slow
async def test_an_s3_that_sleeps_acknowledges_nothing_and_wakes_to_every_span_once(bench: Bench) -> None:
    async with running(bench.lane(log=bench.log_at(bench.settings.s3_url, timeout_seconds=1))) as lane:
        assert await append(lane, bench.batch(1)) is AppendStatus.DURABLE
        with asleep(bench.settings, "seaweed"):
            assert await append(lane, bench.batch(2)) is AppendStatus.UNAVAILABLE
        await delivered(lane, bench.batch(2))
        assert await append(lane, bench.batch(3)) is AppendStatus.DURABLE
        await flushed(lane)
    assert stored(bench) == [1, 2, 3]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "heliograph-test", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


@contextmanager
def full(disk: Path, *, but_bytes: int = 0) -> Iterator[None]:
    """Fill a file system, and give the room back."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    with ballast.open("wb") as file:
        left = free.f_bavail * free.f_frsize - but_bytes
        try:
            while left > 0:
                left -= file.write(bytes(min(left, 1 << 16)))
                file.flush()
        except OSError:
            pass
    try:
        yield
    finally:
        ballast.unlink()


def settings_on(disk: Path, bench: Bench) -> Settings:
    data = disk / "data"
    data.mkdir()
    own = bench.settings
    return Settings(data_dir=data, port=free_block(), clickhouse=own.clickhouse, postgres=own.postgres, s3=own.s3)


@needs_root
@pytest.mark.slow
async def test_while_the_disk_of_the_log_is_full_nothing_is_acknowledged(bench: Bench, small_disk: Path) -> None:
    settings = settings_on(small_disk, bench)
    engine: Engine = SeaweedFS(settings.s3, settings.data, settings.port)
    # A store that met a full disk may refuse every write until it is restarted, which is its supervisor's work.
    with running_engines(settings, [engine], stuck_seconds=2):
        log = bench.log_at(settings.s3_url, timeout_seconds=5)
        async with running(bench.lane(log=log)) as lane:
            sent = {1: await append(lane, bench.batch(1))}
            with full(small_disk):
                while list(sent.values())[-3:] != [AppendStatus.UNAVAILABLE] * 3:
                    number = len(sent) + 1
                    sent[number] = await append(lane, bench.batch(number))
            for number in sent:
                await delivered(lane, bench.batch(number))
            await flushed(lane)
        assert stored(bench) == list(sent)
        logged = [log.read(listed.position)["entity_id"].to_pylist() for listed in log.segments_after(None)]
        assert {int(span, 16) for spans in logged for span in spans} == set(sent)


@needs_root
@pytest.mark.slow
async def test_while_the_disk_of_clickhouse_is_full_appends_go_on_and_drain_later(
    bench: Bench, small_disk: Path
) -> None:
    settings = settings_on(small_disk, bench)
    engine: Engine = ClickHouse(settings.clickhouse, settings.data, settings.port)
    with running_engines(settings, [engine]):
        Columnar(settings.clickhouse, settings.clickhouse_url).upgrade()
        client = DeferredClient(lambda: connect_blocking(settings.clickhouse, settings.clickhouse_url))
        there = replace(bench, clickhouse=client)
        async with running(there.lane(TIGHT)) as lane:
            await append(lane, bench.batch(1))
            await flushed(lane)
            with full(small_disk):
                for number in range(2, 30):
                    assert await append(lane, bench.batch(number)) is AppendStatus.DURABLE
                await _until(lane, "waiting_segments", 1)
                assert not (await lane.status())["is_fenced"]
            await flushed(lane)
        assert stored(there) == list(range(1, 30))

"""An owner that sleeps through its own replacement: what it does when it wakes up costs nobody anything."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from actors.lane import AppendStatus
from heliograph.settings import S3
from tests.integration.actors.lane_bench import Bench, append, checkpointed, flushed, running
from tests.integration.gateway import gateway

BEFORE_MIDNIGHT = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
AFTER_MIDNIGHT = datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC)


@dataclass
class Owner:
    """A lane's owner in a process of its own."""

    process: asyncio.subprocess.Process

    def tell(self, span: int, received_at: datetime) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{span} {received_at.isoformat()}\n".encode())

    async def says(self) -> str:
        assert self.process.stdout is not None
        while line := (await asyncio.wait_for(self.process.stdout.readline(), 30)).decode().strip():
            if line in {"started", *(status.value for status in AppendStatus)}:
                return line
        return "ended"

    async def appended(self, span: int, received_at: datetime) -> str:
        self.tell(span, received_at)
        return await self.says()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def owner(bench: Bench, s3_url: str) -> AsyncIterator[Owner]:
    own = {
        "HELIOGRAPH_DATA_DIR": str(bench.settings.data),
        "HELIOGRAPH_PORT": str(bench.settings.port),
        "HELIOGRAPH_S3__URL": s3_url,
    }
    command = [sys.executable, "-m", "tests.integration.actors.lane_process", str(bench.number), bench.project_id]
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | own, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    started = Owner(process)
    try:
        assert await started.says() == "started"
        yield started
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def stored(bench: Bench) -> list[int]:
    return sorted(int(row[1], 16) for row in bench.rows("observations"))


@pytest.mark.parametrize("is_compacted", [False, True], ids=["", "and a compaction"])
async def test_an_owner_stopped_across_midnight_is_fenced_when_it_goes_on(bench: Bench, *, is_compacted: bool) -> None:
    async with owner(bench, bench.settings.s3_url) as old:
        for span in (1, 2):
            assert await old.appended(span, BEFORE_MIDNIGHT) == "durable"
        old.stop()
        async with running(bench.lane()) as new:
            for span in (2, 3):
                assert await append(new, bench.batch(span, received_at=AFTER_MIDNIGHT)) is AppendStatus.DURABLE
            await checkpointed(new)
            if is_compacted:
                assert (await bench.compacted()).archived.records == 4
            old.go_on()
            assert await old.appended(4, AFTER_MIDNIGHT) in {"fenced", "unavailable"}
            # Its caller sends again, and is led to the new owner.
            assert await append(new, bench.batch(4, received_at=AFTER_MIDNIGHT)) is AppendStatus.DURABLE
            await flushed(new)
        assert await asyncio.wait_for(old.process.wait(), 20) == 1
    assert stored(bench) == [1, 2, 3, 4]
    ((_, count, cost, *_),) = bench.rows("traces")
    assert (count, float(str(cost))) == (4, 2.0)


async def test_an_owner_stopped_with_a_put_on_its_way_overwrites_nothing(bench: Bench) -> None:
    async with gateway(bench.settings.port + S3) as store, owner(bench, store.url) as old:
        assert await old.appended(1, BEFORE_MIDNIGHT) == "durable"
        store.delay(3.0)
        old.tell(2, BEFORE_MIDNIGHT)
        await store.met()
        old.stop()
        async with running(bench.lane()) as new:
            assert await append(new, bench.batch(2, received_at=AFTER_MIDNIGHT)) is AppendStatus.DURABLE
            await checkpointed(new)
            await bench.compacted()
            await store.arrived()
            old.go_on()
            assert await old.says() in {"fenced", "unavailable"}
            await flushed(new)
        assert await asyncio.wait_for(old.process.wait(), 20) == 1
    assert stored(bench) == [1, 2]

"""A log whose PUTs lose their answers or land late: nothing is lost, nothing doubled, and no seal is overwritten.

PUT_DELAY_SECONDS=60 delays by the minute that a store at its worst may take; the client gives up after a quarter.
"""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from actors.lane import AppendStatus, Lane
from heliograph.settings import S3
from storage.objects.raw_log import RawLog
from tests.integration.actors.lane_bench import Bench, abandon, append, delivered, flushed, running
from tests.integration.gateway import Gateway, gateway

DELAY_SECONDS = float(os.environ.get("PUT_DELAY_SECONDS", "1.2"))
TIMEOUT_SECONDS = DELAY_SECONDS / 4
# A write is tried so often before its caller is told to come again.
ATTEMPTS = 3

pytestmark = pytest.mark.timeout(60 + 10 * DELAY_SECONDS)


@pytest.fixture
async def store(bench: Bench) -> AsyncIterator[Gateway]:
    async with gateway(bench.settings.port + S3) as before_s3:
        yield before_s3


def log_behind(store: Gateway, bench: Bench) -> RawLog:
    return bench.log_at(store.url, timeout_seconds=TIMEOUT_SECONDS)


async def assert_stored_once(bench: Bench, lane: Lane, count: int) -> None:
    await flushed(lane)
    ids = [row[1] for row in bench.rows("observations")]
    assert sorted(ids) == [number.to_bytes(8, "big").hex() for number in range(1, count + 1)]
    ((_, counted, cost, *_),) = bench.rows("traces")
    assert (counted, float(str(cost))) == (count, count * 0.5)


async def test_a_put_whose_answer_is_lost_is_acknowledged_at_once(bench: Bench, store: Gateway) -> None:
    async with running(bench.lane(log=log_behind(store, bench))) as lane:
        await append(lane, bench.batch(1))
        store.swallow_answer()
        assert await delivered(lane, bench.batch(2)) == 1
        assert await delivered(lane, bench.batch(3)) == 1
        await assert_stored_once(bench, lane, 3)
    assert len([one for one in bench.log.segments_after(None) if not one.is_seal]) == 3


async def test_bytes_that_landed_unanswered_while_the_store_went_away_are_stored_once(
    bench: Bench, store: Gateway
) -> None:
    async with running(bench.lane(log=log_behind(store, bench))) as lane:
        store.swallow_answer()
        first = asyncio.create_task(append(lane, bench.batch(1)))
        await store.met()
        store.shut()
        assert await first is AppendStatus.UNAVAILABLE
        store.reopen()
        await delivered(lane, bench.batch(1))
        await delivered(lane, bench.batch(2))
        await assert_stored_once(bench, lane, 2)
    assert len([one for one in bench.log.segments_after(None) if not one.is_seal]) == 3


async def test_a_put_that_lands_after_its_repetition_changes_nothing(bench: Bench, store: Gateway) -> None:
    async with running(bench.lane(log=log_behind(store, bench))) as lane:
        store.delay(DELAY_SECONDS)
        assert await delivered(lane, bench.batch(1)) == 1
        await delivered(lane, bench.batch(2))
        await store.arrived()
        await delivered(lane, bench.batch(3))
        await assert_stored_once(bench, lane, 3)


async def test_bytes_that_land_after_their_caller_was_refused_are_stored_once(bench: Bench, store: Gateway) -> None:
    async with running(bench.lane(log=log_behind(store, bench))) as lane:
        for _ in range(ATTEMPTS):
            store.delay(DELAY_SECONDS)
        assert await append(lane, bench.batch(1)) is AppendStatus.UNAVAILABLE
        await store.arrived()
        await delivered(lane, bench.batch(1))
        await delivered(lane, bench.batch(2))
        await assert_stored_once(bench, lane, 2)


async def test_a_late_put_of_a_dead_owner_meets_its_successors_seal(bench: Bench, store: Gateway) -> None:
    old = bench.lane(log=log_behind(store, bench))
    await old.start()
    await delivered(old, bench.batch(1))
    store.delay(DELAY_SECONDS)
    refused = asyncio.create_task(append(old, bench.batch(2)))
    await store.met()
    await abandon(old)
    async with running(bench.lane()) as successor:
        await delivered(successor, bench.batch(2))
        await flushed(successor)
        # All that may be freed is freed before the bytes of the dead arrive.
        await bench.compacted()
        before = [one.position for one in bench.log.segments_after(None)]
        await store.arrived()
        await bench.compacted()
        assert [one.position for one in bench.log.segments_after(None)] == before
        await assert_stored_once(bench, successor, 2)
    refused.cancel()


async def test_a_late_put_that_lands_before_the_seal_is_merged_by_the_successor(bench: Bench, store: Gateway) -> None:
    old = bench.lane(log=log_behind(store, bench))
    await old.start()
    store.delay(DELAY_SECONDS)
    refused = asyncio.create_task(append(old, bench.batch(1)))
    await store.met()
    await abandon(old)
    await store.arrived()
    async with running(bench.lane()) as successor:
        await delivered(successor, bench.batch(1))
        await delivered(successor, bench.batch(2))
        await assert_stored_once(bench, successor, 2)
        assert (await successor.status())["merged"]["reread"] == 1
    refused.cancel()

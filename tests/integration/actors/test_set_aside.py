"""A segment that cannot be merged, by a defect of ours, costs the others nothing and is not forgotten."""

import asyncio

import pyarrow as pa
import pytest

from actors.lane import AppendStatus, Lane
from heliograph.domain.errors import RowsRefused
from heliograph.domain.events import MappedBatch
from ingestion import replay
from ingestion.pricing import managed_prices
from storage.clickhouse.writer import Writer
from storage.postgres.lanes import LaneRegistry
from tests.integration.actors.lane_bench import Bench, abandon, append, flushed, poisoned, replace_settings, running


async def stalled(lane: Lane) -> None:
    for _ in range(500):
        if (await lane.status())["is_stalled"]:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def test_a_segment_that_cannot_be_merged_is_set_aside_and_the_others_are_stored(bench: Bench) -> None:
    slow = replace_settings(flush_after_seconds=0.3)
    async with running(bench.lane(slow)) as lane:
        await append(lane, bench.batch(1))
        await append(lane, poisoned(bench.batch(2)))
        await append(lane, bench.batch(3))
        await flushed(lane)
        status = await lane.status()
    assert (status["set_aside_segments"], status["is_fenced"]) == (1, False)
    assert [row[1][-1] for row in bench.rows("observations")] == ["1", "3"]
    assert bench.log.set_aside_count() == 1


async def test_a_trace_counts_nothing_of_the_segment_that_was_set_aside(bench: Bench) -> None:
    async with running(bench.lane()) as lane:
        await append(lane, bench.batch(1))
        await flushed(lane)
        await append(lane, poisoned(bench.batch(2)))
        await append(lane, bench.batch(3))
        await flushed(lane)
    ((_, count, cost, *_),) = bench.rows("traces")
    assert (count, float(str(cost))) == (2, 1.0)


async def test_a_segment_that_fails_alone_waits_for_another_and_ends_no_owner(bench: Bench) -> None:
    told: list[bool] = []
    async with running(bench.lane(on_fenced=lambda: told.append(True))) as lane:
        await append(lane, poisoned(bench.batch(1)))
        await stalled(lane)
        assert (await lane.status())["set_aside_segments"] == 0
        assert await append(lane, bench.batch(2)) is AppendStatus.DURABLE
        await flushed(lane)
        assert not (await lane.status())["is_stalled"]
    assert told == []
    assert [row[1][-1] for row in bench.rows("observations")] == ["2"]


async def test_what_was_set_aside_is_still_in_the_log_and_stored_by_a_replay(bench: Bench) -> None:
    async with running(bench.lane()) as lane:
        await append(lane, poisoned(bench.batch(1)))
        await append(lane, bench.batch(2))
        await flushed(lane)
    await LaneRegistry(bench.database).rewind(bench.number)
    async with running(bench.lane()) as lane:
        await flushed(lane)
        assert (await lane.status())["set_aside_segments"] == 1
    assert len(bench.rows("observations")) == 2


async def test_a_segment_that_cannot_be_mapped_again_is_set_aside(bench: Bench) -> None:
    first = bench.lane(replace_settings(flush_after_seconds=60.0, busy_flush_after_seconds=60.0))
    await first.start()
    for number in (1, 2, 3):
        await append(first, bench.batch(number))
    await abandon(first)

    def remap(records: pa.Table) -> MappedBatch:
        if records["entity_id"][0].as_py().endswith("2"):
            raise KeyError("2")
        return replay.map_records(records, prices=managed_prices())

    async with running(bench.lane(remap=remap)) as successor:
        await flushed(successor)
        assert (await successor.status())["set_aside_segments"] == 1
    assert [row[1][-1] for row in bench.rows("observations")] == ["1", "3"]


def test_rows_that_clickhouse_can_never_take_are_told_from_a_server_that_is_away(bench: Bench) -> None:
    rows = pa.table({"project_id": ["p"], "trace_id": ["t"], "id": ["o"], "start_time": ["soon"]})
    with pytest.raises(RowsRefused):
        Writer(bench.clickhouse).insert("observations", rows)

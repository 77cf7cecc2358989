"""A lane on the real engines, without Ray: what was acknowledged is stored once, whatever stops in between."""

import asyncio
from datetime import UTC, datetime

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from actors.lane import AppendStatus
from heliograph.domain.errors import Unavailable
from heliograph.domain.events import IngestionFacts
from ingestion import otlp
from storage.clickhouse.writer import Writer
from storage.objects import connection as objects
from storage.postgres.lanes import LaneRegistry
from tests.integration.actors.lane_bench import Bench, abandon, append, flushed, replace_settings, running


async def test_an_acknowledged_span_becomes_a_row_and_a_trace(bench: Bench) -> None:
    async with running(bench.lane()) as lane:
        assert await append(lane, bench.batch(1, 2, 3)) is AppendStatus.DURABLE
        await flushed(lane)
    assert len(bench.rows("observations")) == 3
    ((_, count, cost, *_),) = bench.rows("traces")
    assert (count, float(str(cost))) == (3, 1.5)


async def test_the_same_batch_five_times_is_stored_once(bench: Bench) -> None:
    async with running(bench.lane()) as lane:
        for _ in range(5):
            await append(lane, bench.batch(1, 2))
            await flushed(lane)
    assert len(bench.rows("observations")) == 2
    ((_, count, cost, *_),) = bench.rows("traces")
    assert (count, float(str(cost))) == (2, 1.0)


async def test_what_was_acknowledged_before_a_kill_is_merged_by_the_next_owner(bench: Bench) -> None:
    slow = replace_settings(flush_after_seconds=60.0, busy_flush_after_seconds=60.0)
    lane = bench.lane(slow)
    await lane.start()
    await append(lane, bench.batch(1, 2))
    await append(lane, bench.batch(3))
    await abandon(lane)
    assert bench.rows("observations") == []
    async with running(bench.lane()) as successor:
        await flushed(successor)
        assert successor.is_ready
    assert len(bench.rows("observations")) == 3


async def test_a_replay_from_the_start_changes_no_row(bench: Bench) -> None:
    async with running(bench.lane()) as lane:
        await append(lane, bench.batch(1, 2))
        await append(lane, bench.batch(2, 3, cost=0.25))
        await flushed(lane)
    before = bench.rows("observations"), bench.rows("traces")
    await LaneRegistry(bench.database).rewind(bench.number)
    async with running(bench.lane()) as lane:
        await flushed(lane)
        assert (await lane.status())["merged"]["reread"] >= 2
    assert (bench.rows("observations"), bench.rows("traces")) == before


async def test_an_evicted_trace_is_read_back_when_a_late_span_arrives(bench: Bench) -> None:
    tight = replace_settings(max_cached_contributions=1)
    async with running(bench.lane(tight)) as lane:
        await append(lane, bench.batch(1, 2))
        await flushed(lane)
        await append(lane, bench.batch(3, trace=2))
        await flushed(lane)
        await append(lane, bench.batch(4))
        await append(lane, bench.batch(1, cost=2.0))
        await flushed(lane)
    counts = {trace[-2:]: (count, float(str(cost))) for trace, count, cost, *_ in bench.rows("traces")}
    assert counts == {"01": (3, 3.0), "02": (1, 0.5)}


async def test_an_old_owner_is_fenced_and_tells_its_callers(bench: Bench) -> None:
    told: list[bool] = []
    old = bench.lane(on_fenced=lambda: told.append(True))
    await old.start()
    assert await append(old, bench.batch(1)) is AppendStatus.DURABLE
    async with running(bench.lane()) as new:
        assert await append(old, bench.batch(2)) is AppendStatus.FENCED
        assert await append(new, bench.batch(2)) is AppendStatus.DURABLE
        await flushed(new)
    await abandon(old)
    assert told == [True]
    assert len(bench.rows("observations")) == 2


async def test_while_clickhouse_is_away_appends_are_acknowledged_and_merged_later(bench: Bench) -> None:
    gate = Gate(Writer(bench.clickhouse))
    tight = replace_settings(max_backlog_bytes=1_000)
    async with running(bench.lane(tight, writer=gate)) as lane:
        gate.is_shut = True
        for number in range(1, 8):
            assert await append(lane, bench.batch(number)) is AppendStatus.DURABLE
        assert bench.rows("observations") == []
        gate.is_shut = False
        await flushed(lane)
        assert (await lane.status())["merged"]["reread"] > 0
    assert len(bench.rows("observations")) == 7


class Gate(Writer):
    """A writer that can be shut, as if ClickHouse did not answer."""

    def __init__(self, writer: Writer) -> None:
        super().__init__(writer._client)
        self.is_shut = False

    def insert(self, table: str, rows: object) -> None:
        """Insert unless shut."""
        if self.is_shut:
            raise Unavailable("ClickHouse", 1.0)
        super().insert(table, rows)


async def test_a_stage_that_fails_by_a_defect_ends_the_owner_and_loses_nothing(bench: Bench) -> None:
    class Broken(Writer):
        def insert(self, table: str, rows: object) -> None:
            raise ZeroDivisionError(table, rows)

    told: list[bool] = []
    broken = bench.lane(on_fenced=lambda: told.append(True), writer=Broken(bench.clickhouse))
    await broken.start()
    for number in range(1, 9):
        assert await append(broken, bench.batch(number)) is AppendStatus.DURABLE
    for _ in range(200):
        if told:
            break
        await asyncio.sleep(0.02)
    assert told == [True]
    await abandon(broken)
    async with running(bench.lane()) as successor:
        await flushed(successor)
    assert len(bench.rows("observations")) == 8


async def test_a_damaged_segment_costs_its_neighbours_nothing(bench: Bench) -> None:
    slow = replace_settings(flush_after_seconds=60.0, busy_flush_after_seconds=60.0)
    lane = bench.lane(slow)
    await lane.start()
    await append(lane, bench.batch(1))
    await append(lane, bench.batch(2))
    await abandon(lane)
    first = next(bench.log.segments_after(None)).position
    key = f"wal/{bench.number}/{first.epoch:010d}/{first.segment:012d}.parquet"
    objects.connect(bench.settings.s3, bench.settings.s3_url).put_object(
        Bucket=bench.settings.s3.bucket, Key=key, Body=b"not parquet"
    )
    async with running(bench.lane()) as successor:
        await flushed(successor)
        assert (await successor.status())["unreadable_segments"] == 1
    assert [row[1][-1] for row in bench.rows("observations")] == ["2"]


async def test_clocks_that_are_wrong_by_years_do_not_stop_the_lane(bench: Bench) -> None:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for month in range(120):
        span = scope.spans.add(trace_id=b"t" * 16, span_id=(month + 1).to_bytes(8, "big"))
        span.start_time_unix_nano = (month + 1) * 31 * 86_400 * 10**9
        span.end_time_unix_nano = span.start_time_unix_nano
    context = otlp.MappingContext(bench.project_id, IngestionFacts(), datetime.now(UTC))
    batch = otlp.map_export(otlp.decode(request.SerializeToString(), otlp.PROTOBUF), context).batch
    async with running(bench.lane()) as lane:
        assert await append(lane, batch) is AppendStatus.DURABLE
        await flushed(lane)
    assert len(bench.rows("observations")) == 120

"""A lane on the real engines, without Ray: what was acknowledged is stored once, whatever stops in between."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from actors.lane import AppendStatus, Lane, LaneStores, PackedAppend
from heliograph.domain.errors import Unavailable
from heliograph.domain.events import IngestionFacts, MappedBatch, pack
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.settings import LaneSettings, Settings
from ingestion import otlp, replay
from ingestion.masking import Masker
from ingestion.pricing import managed_prices
from storage.clickhouse.connection import connect_blocking
from storage.clickhouse.contributions import Contributions
from storage.clickhouse.deferred import DeferredClient
from storage.clickhouse.writer import Writer
from storage.objects import connection as objects
from storage.objects.raw_log import RawLog
from storage.postgres.connection import Database
from storage.postgres.lanes import LaneRegistry

FAST = LaneSettings(
    flush_after_seconds=0.02, busy_flush_after_seconds=0.02, segment_spacing_seconds=0.0, cached_subjects_bits=1 << 20
)


@dataclass(frozen=True)
class Bench:
    """The engines, a lane number and a project that no other test uses."""

    settings: Settings
    clickhouse: DeferredClient
    database: Database
    number: LaneNumber
    project_id: ProjectId

    @property
    def log(self) -> RawLog:
        return RawLog(objects.connect(self.settings.s3, self.settings.s3_url), self.settings.s3.bucket, self.number)

    def lane(self, settings: LaneSettings = FAST, on_fenced: Callable[[], None] = lambda: None) -> Lane:
        stores = LaneStores(
            log=self.log,
            writer=Writer(self.clickhouse),
            contributions=Contributions(self.clickhouse),
            registry=LaneRegistry(self.database),
            remap=lambda records: replay.map_records(records, prices=managed_prices()),
        )
        return Lane(self.number, stores, settings, on_fenced=on_fenced)

    def rows(self, table: str) -> list[Any]:
        columns = {
            "observations": "trace_id, id, total_cost, placed_at, created_at, row_version",
            "traces": "id, observation_count, total_cost, score_count, placed_at, row_version",
        }[table]
        query = f"SELECT {columns} FROM {table} FINAL WHERE project_id = {{p:String}} ORDER BY ALL"  # noqa: S608
        return list(self.clickhouse.get().query(query, parameters={"p": self.project_id}).result_rows)

    def batch(self, *ids: int, cost: float = 0.5, trace: int = 1) -> MappedBatch:
        request = ExportTraceServiceRequest()
        scope = request.resource_spans.add().scope_spans.add()
        for number in ids:
            span = scope.spans.add(trace_id=trace.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"))
            span.start_time_unix_nano = 1_780_000_000_000_000_000 + number
            span.end_time_unix_nano = span.start_time_unix_nano + 1_000_000
            detail = span.attributes.add(key="langfuse.observation.cost_details")
            detail.value.string_value = f'{{"total":{cost}}}'
        context = otlp.MappingContext(
            project_id=self.project_id,
            facts=IngestionFacts(public_key="pk"),
            received_at=datetime.now(UTC),
            masker=Masker(),
            prices=managed_prices(),
        )
        return otlp.map_export(otlp.decode(request.SerializeToString(), otlp.PROTOBUF), context).batch


@pytest.fixture
async def bench(migrated: Settings) -> AsyncIterator[Bench]:
    database = Database(migrated.postgres_dsn)
    clickhouse = DeferredClient(lambda: connect_blocking(migrated.clickhouse, migrated.clickhouse_url))
    number = LaneNumber(uuid.uuid4().int % 10**6)
    yield Bench(migrated, clickhouse, database, number, ProjectId(uuid.uuid4().hex))
    await database.close()


@asynccontextmanager
async def running(lane: Lane) -> AsyncIterator[Lane]:
    await lane.start()
    try:
        yield lane
    finally:
        await lane.stop()


async def append(lane: Lane, batch: MappedBatch) -> AppendStatus:
    project_id = batch.records["project_id"][0].as_py()
    ((status, _),) = await lane.append([PackedAppend(project_id, pack(batch))], map_version=10**6)
    return status


async def flushed(lane: Lane) -> None:
    for _ in range(2_000):
        if not (await lane.status())["waiting_segments"]:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def abandon(lane: Lane) -> None:
    """Stop as kill -9 would: nothing is flushed, no checkpoint is recorded."""
    for task in lane._tasks:
        task.cancel()
    await asyncio.gather(*lane._tasks, return_exceptions=True)


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


async def test_appends_under_an_older_map_are_refused(bench: Bench) -> None:
    async with running(bench.lane()) as lane:
        batch = bench.batch(1)
        ((status, _),) = await lane.append([PackedAppend(bench.project_id, pack(batch))], map_version=-1)
    assert status is AppendStatus.WRONG_LANE


async def test_while_clickhouse_is_away_appends_are_acknowledged_and_merged_later(bench: Bench) -> None:
    gate = Gate(Writer(bench.clickhouse))
    stores = LaneStores(
        log=bench.log,
        writer=gate,
        contributions=Contributions(bench.clickhouse),
        registry=LaneRegistry(bench.database),
        remap=lambda records: replay.map_records(records, prices=managed_prices()),
    )
    tight = replace_settings(max_backlog_bytes=1_000)
    async with running(Lane(bench.number, stores, tight, on_fenced=lambda: None)) as lane:
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


def replace_settings(**changes: object) -> LaneSettings:
    return FAST.model_copy(update=changes)


async def test_a_stage_that_fails_by_a_defect_ends_the_owner_and_loses_nothing(bench: Bench) -> None:
    class Broken(Writer):
        def insert(self, table: str, rows: object) -> None:
            raise ZeroDivisionError(table, rows)

    told: list[bool] = []
    stores = LaneStores(
        log=bench.log,
        writer=Broken(bench.clickhouse),
        contributions=Contributions(bench.clickhouse),
        registry=LaneRegistry(bench.database),
        remap=lambda records: replay.map_records(records, prices=managed_prices()),
    )
    broken = Lane(bench.number, stores, FAST, on_fenced=lambda: told.append(True))
    await broken.start()
    assert await append(broken, bench.batch(1)) is AppendStatus.DURABLE
    for _ in range(200):
        if told:
            break
        await asyncio.sleep(0.02)
    assert told == [True]
    await abandon(broken)
    async with running(bench.lane()) as successor:
        await flushed(successor)
    assert len(bench.rows("observations")) == 1


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

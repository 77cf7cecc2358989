"""A lane on the real engines, without Ray, and what tests do to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from actors.lane import AppendStatus, Lane, LaneStores, PackedAppend
from heliograph.domain.events import IngestionFacts, MappedBatch, pack
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.settings import LaneSettings, MaintenanceSettings, Settings
from ingestion import otlp, replay
from ingestion.batch import observations
from ingestion.pricing import managed_prices
from pipelines.compaction import Compacted, Compaction, opened
from storage.clickhouse.contributions import Contributions
from storage.clickhouse.deferred import DeferredClient
from storage.clickhouse.deletions import RowDeletions
from storage.clickhouse.payload_marks import PayloadMarks
from storage.clickhouse.priced_rows import CostChanges
from storage.clickhouse.writer import Writer
from storage.objects import connection as objects
from storage.objects.payloads import PayloadObjects
from storage.objects.raw_log import RawLog
from storage.postgres.connection import Database
from storage.postgres.deletions import Deletions
from storage.postgres.lanes import LaneRegistry
from storage.postgres.media import AllMedia
from tests.unit.actors.batches import Score, batch_of

SPANS_BEGAN = datetime.fromtimestamp(1_780_000_000, UTC)
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

    @property
    def payloads(self) -> PayloadObjects:
        client = objects.connect(self.settings.s3, self.settings.s3_url)
        return PayloadObjects(client, self.settings.s3.bucket, ThreadPoolExecutor(2))

    def log_at(self, url: str, *, timeout_seconds: float) -> RawLog:
        """The log by another way."""
        client = objects.connect(self.settings.s3, url, timeout_seconds=timeout_seconds)
        return RawLog(client, self.settings.s3.bucket, self.number)

    async def compacted(self) -> Compacted:
        """Compact this lane, and free all that may be freed."""
        settings = MaintenanceSettings(free_after_days=0, superseded_for_seconds=0)
        async with opened(self.settings) as stores:
            return await Compaction(stores, self.number, settings).run()

    def lane(self, settings: LaneSettings = FAST, on_fenced: Callable[[], None] = lambda: None, **stores: Any) -> Lane:
        """A lane on the real stores, but for those that are given."""
        own: dict[str, Any] = {
            "log": self.log,
            "writer": Writer(self.clickhouse),
            "contributions": Contributions(self.clickhouse),
            "rows": RowDeletions(self.clickhouse),
            "registry": LaneRegistry(self.database),
            "deletions": Deletions(self.database),
            "media": AllMedia(self.database),
            "payloads": self.payloads,
            "marks": PayloadMarks(self.clickhouse),
            "costs": CostChanges(self.clickhouse),
            "remap": lambda records: replay.map_records(records, prices=managed_prices()),
            "compose": lambda merged: observations.rows(merged, managed_prices()),
        }
        return Lane(self.number, LaneStores(**own | stores), settings, on_fenced=on_fenced)

    def rows(self, table: str) -> list[Any]:
        columns = {
            "observations": "trace_id, id, total_cost, placed_at, created_at, row_version",
            "traces": "id, observation_count, total_cost, score_count, placed_at, row_version",
        }[table]
        query = f"SELECT {columns} FROM {table} FINAL WHERE project_id = {{p:String}} ORDER BY ALL"  # noqa: S608
        return list(self.clickhouse.get().query(query, parameters={"p": self.project_id}).result_rows)

    def batch(
        self,
        *ids: int,
        cost: float = 0.5,
        trace: int = 1,
        received_at: datetime | None = None,
        started_at: datetime = SPANS_BEGAN,
    ) -> MappedBatch:
        request = ExportTraceServiceRequest()
        scope = request.resource_spans.add().scope_spans.add()
        for number in ids:
            span = scope.spans.add(trace_id=trace.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"))
            span.start_time_unix_nano = int(started_at.timestamp()) * 10**9 + number
            span.end_time_unix_nano = span.start_time_unix_nano + 1_000_000
            detail = span.attributes.add(key="langfuse.observation.cost_details")
            detail.value.string_value = f'{{"total":{cost}}}'
        context = otlp.MappingContext(
            project_id=self.project_id,
            facts=IngestionFacts(public_key="pk"),
            received_at=received_at or datetime.now(UTC),
            prices=managed_prices(),
        )
        return otlp.map_export(otlp.decode(request.SerializeToString(), otlp.PROTOBUF), context).batch


@asynccontextmanager
async def running(lane: Lane) -> AsyncIterator[Lane]:
    await lane.start()
    try:
        yield lane
    finally:
        await lane.stop()


async def append(lane: Lane, batch: MappedBatch) -> AppendStatus:
    project_id = batch.records["project_id"][0].as_py()
    ((status, *_),) = await lane.append(
        [PackedAppend(project_id, pack(batch))], map_version=(await lane.status())["map_version"]
    )
    return status


async def delivered(lane: Lane, batch: MappedBatch) -> int:
    """Send until it is acknowledged, as every exporter does; how often that was."""
    for attempt in range(1, 400):
        if await append(lane, batch) is AppendStatus.DURABLE:
            return attempt
        await asyncio.sleep(0.05)
    raise TimeoutError


async def flushed(lane: Lane) -> None:
    for _ in range(2_000):
        if not (await lane.status())["waiting_segments"]:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def checkpointed(lane: Lane) -> None:
    """Return when all that was flushed lies below the checkpoint, which is recorded beside the flushes."""
    for _ in range(2_000):
        status = await lane.status()
        if not status["waiting_segments"] and status["checkpoint_segment"] == status["cursor_segment"]:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def abandon(lane: Lane) -> None:
    """Stop as kill -9 would: nothing is flushed, no checkpoint is recorded."""
    for task in lane._tasks:
        task.cancel()
    await asyncio.gather(*lane._tasks, return_exceptions=True)


def replace_settings(**changes: object) -> LaneSettings:
    return FAST.model_copy(update=changes)


def poisoned(batch: MappedBatch) -> MappedBatch:
    """The same with a score whose record does not exist, as a defect in the mapping would leave it."""
    project_id = batch.records["project_id"][0].as_py()
    score = batch_of(Score("poison", project_id=project_id)).scores
    place = score.schema.get_field_index("record")
    nowhere = score.set_column(place, score.schema.field(place), pa.array([99], pa.int32()))
    return MappedBatch(batch.records, batch.observations, nowhere, batch.trace_parts)

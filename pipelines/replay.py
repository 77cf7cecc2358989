"""Replay: the raw records of a project go through today's mapping again, as a Ray Data pipeline.

The archive's files are read, their records brought together by subject into parts, and each part is mapped, compared
and stored (`replay_part.py`). See docs/decisions/0010.
"""

import asyncio
import bisect
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import ray.data

from actors.directory import RayLane
from actors.generations import Generations
from heliograph import telemetry
from heliograph.domain.events import RecordKind
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lane_errors import CompactionRunning
from heliograph.domain.replays import Replay, ReplayReport
from heliograph.settings import Settings
from ingestion.project_prices import ProjectPrices
from pipelines.cluster import processors
from pipelines.compaction import Compaction
from pipelines.compaction import opened as opened_stores
from pipelines.owning_lanes import OwningLanes, RemappingLane
from pipelines.replay_part import ReplayPart
from pipelines.worker_clients import clickhouse, object_store
from storage.clickhouse.whole_rows import WholeRows
from storage.objects import connection as objects
from storage.objects.archive import Archive, ArchiveFile
from storage.postgres.connection import opened
from storage.postgres.lanes import LaneRegistry
from storage.postgres.models import AllModels
from storage.postgres.replays import Replays

_log = telemetry.logger("replay")
_RECORDS_PER_PART = 16_000
# So many row groups tell how subjects are spread.
_SAMPLED_GROUPS = 400
_PAUSE_SECONDS = 1.0
_COLUMNS = ["project_id", "kind", "subject", "entity_type", "entity_id", "received_at", "facts", "payload"]
_PLACES = ["lane", "segment", "ordinal"]


@dataclass(frozen=True)
class Selection:
    """What is to be replayed: records received from `start` on and before `end`; None for any time."""

    project_id: ProjectId
    start: datetime | None = None
    end: datetime | None = None
    is_trial: bool = False


@dataclass(frozen=True)
class ReplayProgress:
    """How many of the parts are done, and the sum of their reports."""

    done: int
    parts: int
    report: ReplayReport


async def prepared(settings: Settings, selection: Selection, *, records_per_part: int = _RECORDS_PER_PART) -> Replay:
    """The replay of this selection that was cut short, or a new one of all that is flushed by now."""
    async with opened_stores(settings) as stores:
        replays = Replays(stores.database)
        unfinished = await replays.unfinished(
            selection.project_id, selection.start, selection.end, is_trial=selection.is_trial
        )
        if unfinished is not None:
            _log.info("replay_resumed", replay=unfinished.id)
            return unfinished
        lanes = {
            lane for lane_map in await stores.registry.every_map() for lane in lane_map.lanes_of(selection.project_id)
        }
        through: dict[LaneNumber, int] = {}
        for lane in sorted(lanes):
            await _archived(Compaction(stores, lane, settings.maintenance))
            cursor = (await stores.compactions.progress(lane)).cursor
            through[lane] = cursor.segment if cursor else 0
        archive = Archive(stores.client, stores.bucket)
        files = _files(archive, selection, through)
        bounds = await asyncio.to_thread(_bounds, archive, files, records_per_part)
        return await replays.begin(
            selection.project_id,
            selection.start,
            selection.end,
            is_trial=selection.is_trial,
            through=through,
            bounds=bounds,
        )


async def run(
    settings: Settings,
    selection: Selection,
    on_progress: Callable[[ReplayProgress], None] = lambda _: None,
    *,
    workers: int | None = None,
) -> ReplayReport:
    """Replay, or go on with what was cut short, and return the report of all of it.

    Args:
        settings: of the running stack.
        selection: which records.
        on_progress: told every second.
        workers: how many parts are mapped at once; by default as many as the cluster has processors.

    Raises:
        ReplayRunning: the project is being replayed already.
        Unavailable: a store or a lane did not answer; the next call goes on where this one ended.
    """
    async with opened(settings.postgres_dsn) as database:
        replays = Replays(database)
        async with replays.exclusively(selection.project_id):
            replay = await prepared(settings, selection)
            done = await replays.done(replay.id)
            work = asyncio.create_task(
                asyncio.to_thread(_map_parts, settings, replay, frozenset(done), workers=workers or processors())
            )
            while not work.done():
                await asyncio.wait([work], timeout=_PAUSE_SECONDS)
                done = await replays.done(replay.id)
                on_progress(ReplayProgress(len(done), replay.parts, sum(done.values(), ReplayReport())))
            await work
            await replays.finish(replay.id)
            return sum((await replays.done(replay.id)).values(), ReplayReport())


def _map_parts(settings: Settings, replay: Replay, done: frozenset[int], *, workers: int) -> None:
    """The pipeline: files, records of the parts that are not done, parts together, each part stored."""
    archive = Archive(objects.connect(settings.s3, settings.s3_url), settings.s3.bucket)
    selection = Selection(replay.project_id, replay.start, replay.end)
    files = _files(archive, selection, replay.through)
    if not files:
        return
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.resource_limits = context.execution_options.resource_limits.copy(cpu=workers)
    items = [{"number": number} for number in range(len(files))]
    read = partial(_records, settings=settings, replay=replay, files=files, done=done)
    store = partial(_store_part, settings=settings, replay=replay)
    records = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        read, batch_size=1, batch_format="pyarrow"
    )
    # One partition a part that is left: Ray's own 200 would be 200 tasks, however little there is to replay.
    left = max(1, replay.parts - len(done))
    stored = records.groupby("part", num_partitions=left).map_groups(store, batch_format="pyarrow")
    for _ in stored.iter_batches(batch_format="pyarrow"):
        pass


def _records(
    items: pa.Table, *, settings: Settings, replay: Replay, files: list[ArchiveFile], done: frozenset[int]
) -> Iterator[pa.Table]:
    archive = Archive(object_store(settings), settings.s3.bucket)
    for number in items["number"].to_pylist():
        yield from records_of(archive.open(files[number]), replay, done)


def records_of(file: pq.ParquetFile, replay: Replay, done: frozenset[int]) -> Iterator[pa.Table]:
    """The records of an archive's file that are replayed, each with its part, without those of the parts done."""
    for group in range(file.num_row_groups):
        table = _wanted(file.read_row_group(group, columns=[*_COLUMNS, *_PLACES], use_threads=False), replay)
        parts = [bisect.bisect_left(replay.bounds, subject) for subject in table["subject"].to_pylist()]
        table = table.append_column("part", pa.array(parts, pa.int32()))
        yield table.filter(pc.invert(pc.is_in(table["part"], pa.array(sorted(done), pa.int32()))))


def _wanted(records: pa.Table, replay: Replay) -> pa.Table:
    """The events of a selection among archived records."""
    mask = pc.equal(records["kind"], RecordKind.EVENT.value)
    if replay.start is not None:
        mask = pc.and_(mask, pc.greater_equal(records["received_at"], pa.scalar(replay.start)))
    if replay.end is not None:
        mask = pc.and_(mask, pc.less(records["received_at"], pa.scalar(replay.end)))
    records = records.filter(mask)
    lanes, segments = records["lane"].to_numpy(), records["segment"].to_numpy()
    last = np.array([replay.through.get(LaneNumber(int(lane)), -1) for lane in lanes], np.int64)
    return records.filter(pa.array(segments <= last))


def _store_part(records: pa.Table, *, settings: Settings, replay: Replay) -> pa.Table:
    part = int(records["part"][0].as_py())
    asyncio.run(store_part(records.drop_columns(["part"]), part, settings, replay=replay, lane=RayLane))
    return pa.table({"part": [part]})


async def store_part(
    records: pa.Table,
    part: int,
    settings: Settings,
    *,
    replay: Replay,
    lane: Callable[[LaneNumber], RemappingLane],
) -> None:
    """Carry out one part of a replay. It may be killed anywhere, and repeated."""
    async with opened(settings.postgres_dsn) as database:
        registry, replays, prices = LaneRegistry(database), Replays(database), ProjectPrices(AllModels(database))
        await prices.refresh()
        generations = {one: Generations(await registry.generations(one)) for one in replay.through}
        lanes = OwningLanes(replay.project_id, lane, registry.lane_map)
        rows, max_bytes = WholeRows(clickhouse(settings), replay.project_id), settings.lanes.max_row_value_bytes
        stage = ReplayPart(replay.project_id, rows, lanes, generations=generations, max_bytes=max_bytes)
        # 1. Find out what changes.
        examined = await stage.examine(records, prices)
        # 2. Note it: when this is repeated after a kill, some of it is stored already and no longer found.
        await replays.found(replay.id, part, examined.report)
        # 3. Have the lanes store it.
        stored = ReplayReport() if replay.is_trial else await stage.store(examined)
        # 4. Note that it is done.
        await replays.stored(replay.id, part, stored)


def _files(archive: Archive, selection: Selection, through: Mapping[LaneNumber, int]) -> list[ArchiveFile]:
    """The files that may hold records of the selection."""
    return [
        file
        for file in archive.live_files(selection.project_id)
        if (selection.start is None or file.partition.day >= selection.start.date())
        and (selection.end is None or file.partition.day <= selection.end.date())
        and file.first <= through.get(file.lane, -1)
    ]


def _bounds(archive: Archive, files: list[ArchiveFile], records_per_part: int) -> list[str]:
    """Subjects that cut the records into parts of about equal size, from a sample of the files."""
    groups = []
    total = 0
    for file in files:
        parquet = archive.open(file)
        groups += [(parquet, group) for group in range(parquet.num_row_groups)]
        total += parquet.metadata.num_rows
    parts = -(-total // records_per_part)
    if parts < 2:
        return []
    step = max(1, len(groups) // _SAMPLED_GROUPS)
    subjects = sorted(
        subject
        for parquet, group in groups[::step]
        for subject in parquet.read_row_group(group, columns=["subject"], use_threads=False)["subject"].to_pylist()
        # PostgreSQL's text holds no NUL.
        if "\0" not in subject
    )
    cuts = {subjects[len(subjects) * number // parts] for number in range(1, parts)} if subjects else set()
    return sorted(cuts)


async def _archived(compaction: Compaction) -> None:
    """Archive all that is flushed; wait for whoever does it now."""
    while True:
        with contextlib.suppress(CompactionRunning):
            await compaction.run()
            return
        await asyncio.sleep(_PAUSE_SECONDS)

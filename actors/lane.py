"""A lane: the owner of one log, of the state merged from it, and of the rows inserted for it. A plain class."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import pyarrow as pa

from actors.checkpoint import CheckpointRecorder
from actors.deletion_ledger import DeletionLedger
from actors.flush_trail import FlushTrail
from actors.generations import Generations
from actors.group_commit import GroupCommit
from actors.handover import Handover
from actors.merge import Merge
from actors.merge_stage import Burial, MergeStage, SegmentLog
from actors.oversized import OversizedPayloads
from actors.ownership import Ownership
from actors.partials import Compose
from actors.recost_stage import RecostCounts, RecostStage
from actors.remap_stage import Graves, Remade, RemapStage
from actors.remapping import Remapping
from actors.removal import Removal
from actors.seen_filter import SeenFilter
from actors.subject_cache import SubjectCache
from actors.tombstones import Tombstones
from heliograph import telemetry, tracing
from heliograph.domain import tables
from heliograph.domain.errors import Overloaded, Unavailable
from heliograph.domain.events import MappedBatch, RecordKind, unpack
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lane_errors import LaneFenced, SegmentMissing
from heliograph.domain.lanes import LogPosition, Share
from heliograph.domain.remapping import Remapped
from heliograph.settings import LaneSettings
from storage.clickhouse.contributions import Contributions
from storage.clickhouse.deletions import RowDeletions
from storage.clickhouse.payload_marks import PayloadMarks
from storage.clickhouse.priced_rows import CostChanges
from storage.clickhouse.writer import Writer
from storage.objects.payloads import PayloadObjects
from storage.objects.raw_log import RawLog
from storage.postgres.deletions import Deletions
from storage.postgres.lanes import LaneRegistry
from storage.postgres.media import AllMedia

_log = telemetry.logger("lane")


class AppendStatus(StrEnum):
    """The answer to an append, as a value, since errors of ours would arrive wrapped by Ray."""

    DURABLE = "durable"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    FENCED = "fenced"
    WRONG_LANE = "wrong lane"


class AppendOutcome(NamedTuple):
    """Status, after how many seconds to try again where that makes sense, and the version of the lane's map."""

    status: AppendStatus
    retry_after: float = 0.0
    map_version: int = 0


class PackedAppend(NamedTuple):
    """One project's events on their way to a lane."""

    project_id: str
    buffers: Sequence[pa.Buffer]
    # The spans of the requests that are traced among those that it came with; mostly none.
    traced: tracing.Parents = ()


@dataclass(frozen=True)
class LaneStores:
    """What a lane reads and writes."""

    log: RawLog
    writer: Writer
    contributions: Contributions
    rows: RowDeletions
    registry: LaneRegistry
    deletions: Deletions
    media: AllMedia
    payloads: PayloadObjects
    marks: PayloadMarks
    costs: CostChanges
    remap: Callable[[pa.Table], MappedBatch]
    compose: Compose


class Lane:
    """One owner of a lane. Its constructor plus `start` is its recovery."""

    def __init__(
        self, number: LaneNumber, stores: LaneStores, settings: LaneSettings, *, on_fenced: Callable[[], None]
    ) -> None:
        self._number = number
        self._stores = stores
        self._settings = settings
        self._on_fenced = on_fenced
        # One thread each: a PUT in flight never waits for a merge, nor a merge for a PUT.
        self._log_thread = ThreadPoolExecutor(1, f"lane-{number}-log")
        self._merge_thread = ThreadPoolExecutor(1, f"lane-{number}-merge")
        self._generations = Generations()
        self._ownership = Ownership(number)
        self._epoch = 0
        self._head: LogPosition | None = None
        self._replaying = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._is_fenced = False
        self._unreadable = 0
        self._set_aside_before = 0
        cache = SubjectCache(settings.max_cached_contributions, SeenFilter(settings.cached_subjects_bits))
        self._trail = FlushTrail()
        self._checkpoints = CheckpointRecorder(self._record_checkpoint, self._fence)
        merge = Merge(
            stores.contributions,
            cache,
            self._generations,
            compose=stores.compose,
            share_of=self._share_of,
        )
        self._tombstones = Tombstones(number)
        self._deletions = DeletionLedger(number, stores.deletions, stores.media)
        payloads = OversizedPayloads(stores.payloads, stores.marks, settings.max_row_value_bytes)
        removal = Removal(stores.rows, payloads, limit_of=merge.limit_of, share_of=self._share_of)
        self._merge_stage = MergeStage(
            merge,
            stores.writer,
            settings,
            executor=self._merge_thread,
            log=SegmentLog(self._read_segment, stores.log.set_aside, self._note_flushed, payloads.stored),
            burial=Burial(self._tombstones, removal, self._deletions),
        )
        self._remap_stage = self._remapping(merge, cache, payloads)
        self._recost_stage = RecostStage(
            self._merge_stage, merge, cache, changes=stores.costs, writer=stores.writer, executor=self._merge_thread
        )
        self._commits = GroupCommit(
            stores.log, self._merge_stage, settings, executor=self._log_thread, on_fenced=self._fence
        )
        self.handover = Handover(
            number,
            stores.registry,
            self._commits,
            stage=self._merge_stage,
            ownership=self._ownership,
            generations=self._generations,
        )

    def _remapping(self, merge: Merge, cache: SubjectCache, payloads: OversizedPayloads) -> RemapStage:
        read, compose = self._stores.contributions, self._stores.compose
        return RemapStage(
            self._merge_stage,
            merge,
            Remapping(self._number, merge, cache, read=read, compose=compose, lighten=payloads.lightened),
            writer=self._stores.writer,
            graves=Graves(self._number, self._deletions, self._stores.deletions),
            executor=self._merge_thread,
        )

    async def start(self) -> None:
        """Take over the lane: a new epoch, the old ones sealed, the log after the checkpoint queued for the merge."""
        # A start that is repeated keeps its epoch: an hour without the log must not burn thousands.
        self._epoch = self._epoch or await self._stores.registry.take_epoch(self._number)
        # Read after the epoch is taken: what the owner before records from now on is refused.
        await self.handover.recover(self._epoch)
        checkpoint = await self._stores.registry.checkpoint(self._number)
        # What is replayed gives no rows where it lies below one of these: nothing deleted is stored again.
        replayed_from = checkpoint.segment + 1 if checkpoint else 0
        self._tombstones.learn(await self._stores.deletions.tombstones(self._number, from_segment=replayed_from))
        loop = asyncio.get_running_loop()
        replay, free = await loop.run_in_executor(self._log_thread, self._stores.log.take_over, self._epoch, checkpoint)
        self._set_aside_before = await loop.run_in_executor(self._log_thread, self._stores.log.set_aside_count)
        for listed in replay:
            self._merge_stage.offer(listed.position, None)
        self._replaying = len(replay)
        self._head = replay[-1].position if replay else checkpoint
        self._commits.open(self._number, LogPosition(self._epoch, free))
        stages = (self._commits.run(), self._merge_stage.run(), self._checkpoints.run())
        self._tasks = [asyncio.create_task(stage) for stage in stages]
        for task in self._tasks:
            task.add_done_callback(self._watch)
        _log.info("lane_started", lane=self._number, epoch=self._epoch, replaying=len(replay))

    async def append(self, appends: Sequence[PackedAppend], map_version: int) -> list[AppendOutcome]:
        """Make events durable. One outcome for each append; a failed one never costs its neighbours.

        Senders under another version of the map are refused only where it makes a difference.
        """
        self.handover.notice(map_version)
        outcomes = await asyncio.gather(*(self._append(append, map_version) for append in appends))
        return [outcome._replace(map_version=self._ownership.in_force.version) for outcome in outcomes]

    async def _append(self, append: PackedAppend, map_version: int) -> AppendOutcome:
        batch = unpack(append.buffers)
        # From here to the queue nothing else runs: what a move refuses cannot slip in behind it.
        if not self._ownership.takes(append.project_id, batch.records, map_version):
            return AppendOutcome(AppendStatus.WRONG_LANE)
        try:
            with tracing.resumed(append.traced), tracing.step("commit", lane=int(self._number)):
                await self._commits.append(append.project_id, batch)
                self._trail.durable(self._commits.head, tracing.parents())
        except Overloaded as error:
            return AppendOutcome(AppendStatus.OVERLOADED, error.retry_after)
        except Unavailable as error:
            return AppendOutcome(AppendStatus.UNAVAILABLE, error.retry_after)
        except LaneFenced:
            return AppendOutcome(AppendStatus.FENCED)
        return AppendOutcome(AppendStatus.DURABLE)

    async def remap(self, buffers: Sequence[pa.Buffer], map_version: int, *, is_trial: bool) -> Remade | None:
        """Store rows of the past as today's mapping gives them; None when the lane does not own all of their subjects.

        Args:
            buffers: a packed `Remapped` of one project.
            map_version: of the lane map that the sender knows.
            is_trial: store nothing, only tell what would be.

        Raises:
            Unavailable: a store did not answer; the call may be repeated.
        """
        remapped = Remapped.unpacked(buffers)
        records = remapped.batch.records
        project_id = records["project_id"][0].as_py()
        return await self._remap_stage.store(
            remapped, lambda: self._ownership.takes(project_id, records, map_version), is_trial=is_trial
        )

    async def recost(self, project_id: ProjectId, repriced: pa.Table, map_version: int) -> RecostCounts | None:
        """Store new costs of rows that still are of these versions; None when the lane does not own all of them.

        Args:
            project_id: whose they are.
            repriced: as `REPRICED`.
            map_version: of the lane map that the sender knows.

        Raises:
            Unavailable: a store did not answer; the call may be repeated.
        """
        events = pa.array([RecordKind.EVENT.value] * repriced.num_rows)
        subjects = pa.table({"subject": repriced["trace_id"], "kind": events})
        return await self._recost_stage.store(
            project_id, repriced, lambda: self._ownership.takes(project_id, subjects, map_version)
        )

    @property
    def is_ready(self) -> bool:
        """Whether the cursor has reached what was the head of the log at the start."""
        cursor = self._merge_stage.cursor
        return not self._replaying or (
            cursor is not None and self._head is not None and cursor.segment >= self._head.segment
        )

    async def status(self) -> dict[str, Any]:
        """Plain figures for status, metrics and tests."""
        ended = [task for task in self._tasks if task.done() and not task.cancelled()]
        failed = [repr(task.exception()) for task in ended if task.exception()]
        cursor, recorded = self._merge_stage.cursor, self._checkpoints.recorded
        return {
            "lane": int(self._number),
            "epoch": self._epoch,
            "map_version": self._ownership.in_force.version,
            "is_moving": self._ownership.pending is not None,
            "is_ready": self.is_ready,
            "is_fenced": self._is_fenced,
            "is_stalled": self._merge_stage.is_stalled,
            "head_segment": self._commits.head,
            "cursor_segment": cursor.segment if cursor else 0,
            "checkpoint_segment": recorded.segment if recorded else 0,
            "waiting_segments": self._merge_stage.waiting_segments,
            "oldest_unflushed_seconds": self._merge_stage.oldest_age_seconds,
            "backlog_bytes": self._merge_stage.backlog_bytes,
            "checkpoint_failures": self._checkpoints.failures,
            "failed_stages": failed,
            "unreadable_segments": self._unreadable,
            "set_aside_segments": self._set_aside_before + self._merge_stage.meter.set_aside,
            "appended": asdict(self._commits.meter),
            "merged": asdict(self._merge_stage.meter),
            "inserted": asdict(self._stores.writer.meter),
        }

    async def stop(self) -> None:
        """Commit and flush what was accepted, record the checkpoint, end. What cannot be flushed stays in the log."""
        closes = (self._commits.close, self._merge_stage.close, self._checkpoints.close)
        for close, task in zip(closes, self._tasks, strict=False):
            close()
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await asyncio.wait_for(task, 10)
        _log.info("lane_stopped", lane=self._number, epoch=self._epoch)

    def _watch(self, task: asyncio.Task[None]) -> None:
        """A stage that failed by a defect ends this owner: callers get 503, and the next owner starts from the log."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("stage_failed", lane=self._number, epoch=self._epoch, exc_info=error)
            self._fence()

    def _fence(self) -> None:
        if not self._is_fenced:
            self._is_fenced = True
            self._commits.fence()
            for task in self._tasks[1:]:
                task.cancel()
            self._on_fenced()

    def _read_segment(self, position: LogPosition) -> MappedBatch:
        try:
            return self._stores.remap(self._ownership.without_moved(self._stores.log.read(position)))
        except (pa.ArrowException, SegmentMissing) as error:
            # One damaged or missing object must not stop every project of the lane; it stays in the log.
            self._unreadable += 1
            _log.error("segment_unreadable", lane=self._number, segment=position.segment, exc_info=error)
            return MappedBatch(tables.RECORDS.empty_table())

    def _share_of(self, project_id: str) -> Share | None:
        return self._ownership.in_force.share_of(self._number, ProjectId(project_id))

    def _note_flushed(self, position: LogPosition) -> None:
        self._checkpoints.note(position)
        self._trail.flushed(position.segment)

    async def _record_checkpoint(self, position: LogPosition) -> None:
        await self._deletions.settle()
        await self._stores.registry.record_checkpoint(self._number, epoch=self._epoch, position=position)

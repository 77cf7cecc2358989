"""A lane's side of resharding: it gives up subjects at a position of its log, and takes others over."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from actors.generations import Generations
from actors.group_commit import GroupCommit
from actors.merge_stage import MergeStage
from actors.ownership import Ownership
from heliograph import telemetry
from heliograph.domain import tables
from heliograph.domain.errors import Unavailable
from heliograph.domain.events import MappedBatch, RecordKind
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lane_errors import MapNotPending
from heliograph.domain.lanes import RaisedGeneration
from storage.postgres.lanes import LaneRegistry

_log = telemetry.logger("handover")
_RETRY_SECONDS = 0.5
_WATCH_SECONDS = 5.0


class Handover:
    """What the orchestrator of a change asks of one lane. Every step may be repeated.

    See docs/decisions/0008 for the order of the steps and why it loses and doubles nothing.
    """

    def __init__(
        self,
        lane: LaneNumber,
        registry: LaneRegistry,
        commits: GroupCommit,
        *,
        stage: MergeStage,
        ownership: Ownership,
        generations: Generations,
    ) -> None:
        self._lane = lane
        self._registry = registry
        self._commits = commits
        self._stage = stage
        self._ownership = ownership
        self._generations = generations
        self._epoch = 0
        self._one_step = asyncio.Lock()
        self._noticing: asyncio.Task[None] | None = None

    async def recover(self, epoch: int) -> None:
        """Take over the state that the registry holds: a lane that has given up subjects goes on refusing them."""
        self._epoch = epoch
        maps = await self._registry.maps(self._lane)
        self._ownership.in_force = maps.in_force
        self._ownership.pending = maps.pending if maps.has_yielded else None
        self._generations.learn(await self._registry.generations(self._lane))

    async def adopt(self) -> int:
        """Learn the map in force, and generations; return the map's version. A map given up is no longer pending."""
        async with self._one_step:
            maps = await self._registry.maps(self._lane)
            generations = await self._registry.generations(self._lane)
            before = self._ownership.pending
            is_ours = maps.pending is not None and (maps.has_yielded or before == maps.pending)
            self._ownership.in_force = maps.in_force
            self._ownership.pending = maps.pending if is_ours else None
            self._generations.learn(generations)
            return maps.in_force.version

    def notice(self, map_version: int) -> None:
        """A sender knows this version: adopt it beside the appends, which nothing delays."""
        if map_version > self._ownership.in_force.version and (self._noticing is None or self._noticing.done()):
            self._noticing = asyncio.create_task(self._try_to_adopt())

    async def watch(self, finish: Callable[[], Awaitable[None]]) -> None:
        """Until cancelled: see to it that a change which was cut short ends, since its subjects are refused meanwhile.

        `finish` carries on a change that nobody carries on.
        """
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if self._ownership.pending is not None:
                await self._try_to_adopt()
            if self._ownership.pending is not None:
                await finish()

    async def _try_to_adopt(self) -> None:
        try:
            await self.adopt()
        except Unavailable as error:
            _log.warning("map_not_adopted", lane=self._lane, reason=str(error))

    async def give_up(self, map_version: int, projects: Sequence[ProjectId]) -> None:
        """Refuse what a pending map takes from this lane, and return when all of it is stored and that is recorded.

        Raises:
            MapNotPending: the map was published or given up meanwhile.
            Overloaded, Unavailable: not done yet; the call may be repeated, and refuses meanwhile.
        """
        # 1. Refuse: from here on no append of these subjects reaches the queue.
        if await self._refuse(map_version):
            return
        # 2. Wait for those that are queued.
        await self._commits.answered()
        # 3. The position: all events of these subjects in this log lie before it.
        moved = MappedBatch(_moved_records(map_version, projects))
        position = await self._commits.append(projects[0] if projects else "", moved)
        # 4. Store everything up to it, and record that: only then may another lane read it back.
        await self._stage.flushed_to(position.segment)
        try:
            await self._registry.record_yield(self._lane, map_version, epoch=self._epoch, position=position)
        except MapNotPending:
            await self.adopt()
            raise
        _log.info("subjects_given_up", lane=self._lane, map_version=map_version, segment=position.segment)

    async def _refuse(self, map_version: int) -> bool:
        """Whether everything else was done before."""
        async with self._one_step:
            maps = await self._registry.maps(self._lane)
            if maps.pending is None or maps.pending.version != map_version:
                raise MapNotPending(map_version)
            self._ownership.pending = maps.pending
            return maps.has_yielded

    async def take_over(self, map_version: int, generations: Mapping[ProjectId, int]) -> None:
        """Prepare for a pending map's subjects: their rows here get these generations, their stored ones are known.

        Raises:
            MapNotPending: the map was published or given up meanwhile.
        """
        await self.raise_generations(generations, map_version)
        await self._stage.learn_subjects_of(list(generations))
        _log.info("subjects_expected", lane=self._lane, map_version=map_version, projects=len(generations))

    async def raise_generations(self, generations: Mapping[ProjectId, int], map_version: int | None = None) -> None:
        """From the next segment on, rows of these projects carry these generations, also in every replay."""
        async with self._one_step:
            first = self._commits.next_segment
            raised = [RaisedGeneration(project, first, number) for project, number in generations.items()]
            # Nothing from there on is merged before the registry holds it: its next owner must give the same versions.
            self._stage.hold(first)
            try:
                await _until_answered(
                    lambda: self._registry.raise_generations(
                        self._lane, raised, epoch=self._epoch, map_version=map_version
                    )
                )
                await _until_answered(self._learn_generations)
            finally:
                self._stage.release()

    async def _learn_generations(self) -> None:
        self._generations.learn(await self._registry.generations(self._lane))


async def _until_answered(step: Callable[[], Awaitable[None]]) -> None:
    """Repeat while PostgreSQL is away: whether it holds the step already is unknown until it answers."""
    while True:
        try:
            await step()
        except Unavailable as error:
            _log.warning("handover_waits", reason=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return


def _moved_records(map_version: int, projects: Sequence[ProjectId]) -> pa.Table:
    """One record for each project that leaves; for a lane without any, one of no project marks the position."""
    record = {
        "kind": RecordKind.MOVED.value,
        "subject": "",
        "entity_type": "",
        "entity_id": "",
        "received_at": datetime.now(UTC),
        "facts": "",
        "payload": json.dumps({"map_version": map_version}).encode(),
    }
    names: Sequence[str] = projects or ("",)
    return pa.Table.from_pylist([{**record, "project_id": name} for name in names], tables.RECORDS)

"""A replay without Ray: its parts one after the other, on one lane of the real engines."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from actors.lane import Lane
from actors.recost_stage import RecostCounts
from actors.remap_stage import Remade
from heliograph.domain import tables
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.replays import Replay, ReplayReport
from ingestion.project_prices import ProjectPrices
from pipelines.replay import Selection, prepared, records_of, store_part
from storage.objects import connection as objects
from storage.objects.archive import Archive
from storage.postgres.replays import Replays
from tests.integration.actors.lane_bench import Bench, checkpointed

_ALL = ReplayReport()


Step = Callable[[], Awaitable[None]]


async def nothing_happens() -> None:
    """A step that goes well."""


@dataclass(frozen=True)
class InterruptedLane:
    """A lane to which something happens before it is asked to store."""

    lane: Lane
    before_storing: Step

    async def remap(self, buffers: Sequence[pa.Buffer], map_version: int, *, is_trial: bool) -> Remade | None:
        """See Lane.remap."""
        if not is_trial:
            await self.before_storing()
        return await self.lane.remap(buffers, map_version, is_trial=is_trial)

    async def recost(self, project_id: ProjectId, repriced: pa.Table, map_version: int) -> RecostCounts | None:
        """See Lane.recost."""
        await self.before_storing()
        return await self.lane.recost(project_id, repriced, map_version)


@dataclass
class ReplayBench:
    """A running lane that owns its project, and what replays that."""

    bench: Bench
    lane: Lane
    prices: ProjectPrices
    records_per_part: int = 16_000
    parts: list[int] = field(default_factory=list)

    async def begun(self, *, is_trial: bool = False) -> Replay:
        """A replay of all that is flushed by now, or the one that was cut short."""
        await checkpointed(self.lane)
        selection = Selection(self.bench.project_id, is_trial=is_trial)
        return await prepared(self.bench.settings, selection, records_per_part=self.records_per_part)

    async def replayed(
        self, *, is_trial: bool = False, before_part: Step = nothing_happens, before_storing: Step = nothing_happens
    ) -> ReplayReport:
        """Carry out what is not done; the report of all of it."""
        replay = await self.begun(is_trial=is_trial)
        replays = Replays(self.bench.database)
        records = self._records(replay)
        lane = InterruptedLane(self.lane, before_storing)
        for part in sorted(set(range(replay.parts)) - (await replays.done(replay.id)).keys()):
            own = records.filter(pc.equal(records["part"], part)).drop_columns(["part"])
            if own.num_rows:
                await before_part()
                await store_part(own, part, self.bench.settings, replay=replay, lane=lambda _: lane)
                self.parts.append(part)
        await replays.finish(replay.id)
        return sum((await replays.done(replay.id)).values(), _ALL)

    def _records(self, replay: Replay) -> pa.Table:
        s3 = self.bench.settings.s3
        archive = Archive(objects.connect(s3, self.bench.settings.s3_url), s3.bucket)
        files = archive.live_files(replay.project_id)
        found = [table for file in files for table in records_of(archive.open(file), replay, frozenset())]
        return pa.concat_tables(found) if found else tables.ARCHIVED_RECORDS.empty_table()

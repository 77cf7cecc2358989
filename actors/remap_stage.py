"""What a replay asks of a lane: rows of the past stored anew, between two flushes."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import NamedTuple

from actors.deletion_ledger import DeletionLedger
from actors.merge import Merge, MergedRows
from actors.merge_stage import Inserts, MergeStage
from actors.remapping import RemapCounts, Remapping
from heliograph.domain.deletions import Buried
from heliograph.domain.identifiers import LaneNumber
from heliograph.domain.remapping import Remapped
from storage.postgres.deletions import Deletions


class Remade(NamedTuple):
    """The counts of what was stored; on trial, the rows that would be, too."""

    counts: RemapCounts
    rows: MergedRows | None = None


@dataclass(frozen=True)
class Graves:
    """Where every tombstone of a lane is known: those that PostgreSQL does not hold yet, and those it does."""

    lane: LaneNumber
    ledger: DeletionLedger
    deletions: Deletions

    async def buried(self, from_segment: int) -> Buried:
        """The tombstones from this segment on; raises Unavailable."""
        await self.ledger.settle()
        return Buried(await self.deletions.tombstones(self.lane, from_segment=from_segment))


class RemapStage:
    """Stores rows anew, one call after the other, each between two flushes of its lane."""

    def __init__(
        self,
        stage: MergeStage,
        merge: Merge,
        remapping: Remapping,
        *,
        writer: Inserts,
        graves: Graves,
        executor: Executor,
    ) -> None:
        self._stage = stage
        self._merge = merge
        self._remapping = remapping
        self._writer = writer
        self._graves = graves
        self._executor = executor

    async def store(self, remapped: Remapped, is_owned: Callable[[], bool], *, is_trial: bool) -> Remade | None:
        """Store what the records give today where it is still of the same event; None when the lane does not own it.

        Raises:
            Unavailable: a store did not answer; the call may be repeated.
        """
        async with self._stage.between_flushes():
            # A lane that gives a subject up flushes behind this, and only then does another own it.
            if not is_owned():
                return None
            buried = await self._graves.buried(int(remapped.segments.min()) if len(remapped.lane) else 0)
            return await asyncio.get_running_loop().run_in_executor(
                self._executor, self._store, remapped, buried, is_trial
            )

    def _store(self, remapped: Remapped, buried: Buried, is_trial: bool) -> Remade:  # noqa: FBT001 - an executor's call
        try:
            rows, counts = self._remapping.rows_of(remapped, buried, is_trial=is_trial)
            if not is_trial:
                self._writer.insert("observations", rows.observations)
                self._writer.insert("scores", rows.scores)
                self._writer.insert("traces", rows.traces)
        except BaseException:
            self._merge.forget_unsettled()
            raise
        if is_trial:
            self._merge.forget_unsettled()
        else:
            self._merge.settle(rows)
        return Remade(counts, rows if is_trial else None)

"""What a recost asks of a lane: new costs of stored rows, and the traces rolled up from them, between two flushes."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from actors.merge import Merge, MergedRows
from actors.merge_stage import Inserts, MergeStage
from actors.subject_cache import SubjectCache, SubjectKey
from heliograph.domain import costs, tables
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.priced_rows import CostChanges


class RecostCounts(NamedTuple):
    """Observations stored with new costs, those that are of another version by now or deleted, traces rolled up."""

    written: int
    newer: int
    traces: int


class RecostStage:
    """Stores new costs, one call after the other, each between two flushes of its lane. See docs/decisions/0013."""

    def __init__(
        self,
        stage: MergeStage,
        merge: Merge,
        cache: SubjectCache,
        *,
        changes: CostChanges,
        writer: Inserts,
        executor: Executor,
    ) -> None:
        self._stage = stage
        self._merge = merge
        self._cache = cache
        self._changes = changes
        self._writer = writer
        self._executor = executor

    async def store(
        self, project_id: ProjectId, repriced: pa.Table, is_owned: Callable[[], bool]
    ) -> RecostCounts | None:
        """Store new costs, as `REPRICED`, of what still is of the same version; None when the lane does not own it.

        Raises:
            Unavailable: a store did not answer; the call may be repeated.
        """
        async with self._stage.between_flushes():
            if not is_owned():
                return None
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._store, project_id, repriced)

    def _store(self, project_id: ProjectId, repriced: pa.Table) -> RecostCounts:
        keys = [(str(project_id), trace_id) for trace_id in repriced["trace_id"].to_pylist()]
        touched = frozenset(keys)
        try:
            self._merge.admit_stored(touched)
            chosen = self._adopted(keys, repriced)
            traces = self._merge.rolled_up({keys[index] for index in chosen})
            # Traces first: killed in between, the observations are found unchanged, and handed over again.
            self._writer.insert("traces", traces)
            self._changes.store(project_id, repriced.take(pa.array(chosen, pa.int64())))
        except BaseException:
            self._merge.forget_unsettled()
            raise
        none = tables.OBSERVATIONS.empty_table(), tables.SCORES.empty_table()
        self._merge.settle(MergedRows(*none, traces, touched, upto=0))
        return RecostCounts(len(chosen), len(keys) - len(chosen), traces.num_rows)

    def _adopted(self, keys: list[SubjectKey], repriced: pa.Table) -> list[int]:
        """Put the new costs into the states; the numbers of the rows that are still of their versions."""
        units = costs.to_units(repriced["total_cost"]).tolist()
        versions = repriced["row_version"].to_numpy().astype(np.uint64).tolist()
        chosen = []
        for index, (key, id_) in enumerate(zip(keys, repriced["id"].to_pylist(), strict=True)):
            known = self._cache[key].observations.get(id_)
            if known is not None and known.row_version == versions[index]:
                self._cache[key].observations[id_] = known._replace(total_cost=units[index])
                chosen.append(index)
        return chosen

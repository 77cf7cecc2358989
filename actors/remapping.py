"""Rows of the past as today's mapping gives them, put in the place of what is stored of the same event.

Blocking and without Ray; one thread of a lane runs it, between two flushes. See docs/decisions/0010.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from actors.contribution import (
    ObservationContribution,
    ScoreContribution,
    observation_contributions,
    plain_values,
    score_contributions,
)
from actors.merge import LaneColumns, Merge, MergedRows, keys_of, score_keys, subjects_of
from actors.partials import Compose, PartialObservations, PlacedParts, SpanBelow, WholeRows
from actors.subject_cache import SubjectCache, SubjectKey
from heliograph.domain import tables
from heliograph.domain.deletions import Buried
from heliograph.domain.events import MappedBatch
from heliograph.domain.identifiers import LaneNumber
from heliograph.domain.remapping import Remapped
from ingestion.batch import observations
from ingestion.merge import Part, remerge_parts


@dataclass
class RemapCounts:
    """What became of the rows that a lane was given.

    Attributes:
        written: observations and scores that are stored as they are now given.
        added: those of them that were not stored before.
            newer: rows of which a later event has been stored meanwhile.
        absent: rows that are not stored and not to be: deleted, or moved here without them.
        traces: how many were rolled up anew.
    """

    written: int = 0
    added: int = 0
    newer: int = 0
    absent: int = 0
    traces: int = 0


@dataclass
class _Chosen:
    """What is written so far, and the subjects whose traces it changes."""

    counts: RemapCounts = field(default_factory=RemapCounts)
    subjects: set[SubjectKey] = field(default_factory=set)
    below: dict[tuple[SubjectKey, str], SpanBelow] = field(default_factory=dict)


class Lighten(Protocol):
    """Puts previews in the place of what is too large for rows; see `OversizedPayloads.lightened`."""

    def __call__(self, batch: MappedBatch, *, is_trial: bool) -> MappedBatch: ...


class Remapping:
    """Computes what is to be stored; each row keeps its place and its version."""

    def __init__(
        self,
        lane: LaneNumber,
        merge: Merge,
        cache: SubjectCache,
        *,
        read: WholeRows,
        compose: Compose,
        lighten: Lighten,
    ) -> None:
        self._lane = lane
        self._merge = merge
        self._cache = cache
        self._lighten = lighten
        self._partials = PartialObservations(read, cache, compose)

    def rows_of(self, remapped: Remapped, buried: Buried, *, is_trial: bool = False) -> tuple[MergedRows, RemapCounts]:
        """The rows to store. The states hold them already: `settle` or `forget_unsettled` of the merge follows.

        Args:
            remapped: records in the order of their versions.
            buried: every tombstone of this lane.
            is_trial: nothing of it will be stored.

        Raises:
            Unavailable: a state could not be read back.
        """
        remapped = self._alive(remapped, buried)
        remapped = remapped._replace(batch=self._lighten(remapped.batch, is_trial=is_trial))
        touched = frozenset(subjects_of(remapped.batch))
        self._merge.admit_stored(touched)
        chosen = _Chosen()
        spans = self._spans(remapped, chosen)
        rows = [spans, self._parts(remapped, spans, chosen)]
        scores = self._scores(remapped, chosen)
        self._trace_parts(remapped, chosen)
        traces = self._merge.rolled_up(chosen.subjects)
        chosen.counts.written = sum(table.num_rows for table in (*rows, scores))
        chosen.counts.traces = traces.num_rows
        return MergedRows(pa.concat_tables(rows), scores, traces, touched, upto=0), chosen.counts

    def _alive(self, remapped: Remapped, buried: Buried) -> Remapped:
        covered = buried.covered(remapped.batch.records, remapped.positions)
        if covered is None:
            return remapped
        return remapped._replace(batch=remapped.batch.without_rows_of(covered & (remapped.lane == self._lane)))

    def _spans(self, remapped: Remapped, chosen: _Chosen) -> pa.Table:
        """The rows of whole spans that are what is stored. Those on which events were merged since are noted."""
        mapped = remapped.batch.observations
        placed = _Placed(remapped, mapped, "start_time")
        for index, (key, one) in enumerate(
            zip(keys_of(mapped, "trace_id"), observation_contributions(placed.rows), strict=True)
        ):
            state = self._cache[key]
            known = state.observations.get(one.id)
            is_below = known is not None and known.row_version > one.row_version
            if is_below or one.id in state.in_parts:
                base = observations.load(placed.values(index))
                chosen.below[key, one.id] = SpanBelow(base, one.row_version)
            elif known is not None or self._is_ours(remapped, mapped, index):
                place = placed.keep(index, known)
                state.observations[one.id] = one._replace(placed_at=place[0], created_at=place[1])
                state.partial.pop(one.id, None)
                state.propose_place(*place, one.row_version)
                chosen.counts.added += known is None
                chosen.subjects.add(key)
            else:
                chosen.counts.absent += 1
        return placed.kept_rows(tables.OBSERVATIONS)

    def _parts(self, remapped: Remapped, spans: pa.Table, chosen: _Chosen) -> pa.Table:
        """The rows of observations that came in parts."""
        parts = remapped.batch.observation_parts
        records = parts["record"].to_numpy()
        received = remapped.batch.records["received_at"].cast(pa.int64()).to_numpy()[records]
        events = self._partials.events(PlacedParts(parts, received, remapped.row_version[records]))
        wanted = []
        for index, event in enumerate(events):
            is_known = event.id in self._cache[event.key].observations
            if is_known or self._is_ours(remapped, parts, index):
                wanted.append(event)
                chosen.subjects.add(event.key)
            else:
                chosen.counts.absent += 1
        rows, whole = self._partials.remerged(wanted, chosen.below, spans)
        chosen.counts.newer += len(whole)
        chosen.subjects.update(key for key, _ in chosen.below.keys() - whole)
        return rows

    def _scores(self, remapped: Remapped, chosen: _Chosen) -> pa.Table:
        mapped = remapped.batch.scores
        placed = _Placed(remapped, mapped, "timestamp")
        for index, (key, one) in enumerate(zip(score_keys(mapped), score_contributions(placed.rows), strict=True)):
            state = self._cache[key]
            known = state.scores.get(one.id)
            if known is not None and known.row_version > one.row_version:
                chosen.counts.newer += 1
            elif known is not None or self._is_ours(remapped, mapped, index):
                place = placed.keep(index, known)
                state.scores[one.id] = one._replace(placed_at=place[0], created_at=place[1])
                chosen.counts.added += known is None
                chosen.subjects.add(key)
            else:
                chosen.counts.absent += 1
        return placed.kept_rows(tables.SCORES)

    def _trace_parts(self, remapped: Remapped, chosen: _Chosen) -> None:
        parts = remapped.batch.trace_parts
        placed = _Placed(remapped, parts, "stamped_at")
        columns = (plain_values(placed.rows[name]) for name in (*Part._fields, "created_at", "row_version"))
        again: dict[SubjectKey, list[Part]] = {}
        for index, (key, *part, received_at, version) in enumerate(
            zip(keys_of(parts, "trace_id"), *columns, strict=True)
        ):
            state = self._cache[key]
            if state.place is None and not self._is_ours(remapped, parts, index):
                chosen.counts.absent += 1
                continue
            again.setdefault(key, []).append(Part(*part))
            state.parts_version = max(state.parts_version, version)
            state.parts_updated_at = max(state.parts_updated_at, received_at)
            state.propose_place(part[2], received_at, version)
        for key, own in again.items():
            self._cache[key].parts = remerge_parts(self._cache[key].parts, own)
            chosen.subjects.add(key)

    def _is_ours(self, remapped: Remapped, rows: pa.Table, index: int) -> bool:
        """Whether what is not stored may be: of other lanes' records it is not known here which were deleted."""
        return bool(remapped.lane[rows["record"][index].as_py()] == self._lane)


class _Placed:
    """Rows with their lane columns, of which some are kept."""

    def __init__(self, remapped: Remapped, mapped: pa.Table, place: str) -> None:
        versions = remapped.row_version[mapped["record"].to_numpy()]
        self._mapped = mapped
        self._columns = LaneColumns.of(remapped.batch, mapped, place=place, versions=versions)
        self._kept: list[int] = []
        self.rows = self._columns.added_to(mapped)

    def keep(self, index: int, known: ObservationContribution | ScoreContribution | None) -> tuple[int, int]:
        """Keep the row, where the known one lies; returns when it was placed and created."""
        self._kept.append(index)
        if known is not None:
            self._columns.keep_place(index, known.placed_at, known.created_at)
        return int(self._columns.placed_at[index]), int(self._columns.created_at[index])

    def kept_rows(self, schema: pa.Schema) -> pa.Table:
        """The kept rows, at their places."""
        return self._columns.added_to(self._mapped).take(pa.array(self._kept, pa.int64())).cast(schema)

    def values(self, index: int) -> dict[str, Any]:
        """One row as plain values."""
        row = self.rows.slice(index, 1)
        return {name: next(iter(plain_values(row[name]))) for name in row.column_names}

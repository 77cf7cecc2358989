"""Merging: segments of the log become whole rows. Blocking and without Ray; one thread of a lane runs it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from actors.contribution import observation_contributions, plain_values, score_contributions
from actors.emptied import Emptied
from actors.generations import Generations
from actors.partials import Compose, PartialObservations, PlacedParts, WholeRows
from actors.read_back import chunks
from actors.rollup import SubjectState, TracePlace, load_parts, roll_up, trace_table
from actors.subject_cache import SubjectCache, SubjectKey
from heliograph.domain import tables
from heliograph.domain.deletions import SubjectType, Tombstone
from heliograph.domain.events import MappedBatch, run_subject, session_subject
from heliograph.domain.lanes import GENERATION_BITS, ORDINAL_BITS, SEGMENT_BITS, LogPosition, Share, row_version
from ingestion.merge import Part, merge_parts

_NOTHING = np.zeros(0, np.int64)
_NO_SEGMENT = 1 << SEGMENT_BITS


class ReadBack(WholeRows, Protocol):
    """Where the contributions to subjects that are not cached come from; see `Contributions`."""

    def observations(self, projects: Sequence[str], trace_ids: Sequence[str]) -> pa.Table: ...

    def scores(self, projects: Sequence[str], subjects: Sequence[str]) -> pa.Table: ...

    def traces(self, projects: Sequence[str], trace_ids: Sequence[str]) -> pa.Table: ...

    def scores_by_id(self, projects: Sequence[str], ids: Sequence[str]) -> pa.Table: ...

    def known_subjects(self) -> Iterator[np.ndarray]: ...

    def subjects_of(self, projects: Sequence[str]) -> Iterator[np.ndarray]: ...


class Segment(NamedTuple):
    """A committed segment with what was mapped from it."""

    position: LogPosition
    batch: MappedBatch


@dataclass(frozen=True)
class MergedRows:
    """Whole rows, ready to be inserted, and the subjects they belong to."""

    observations: pa.Table
    scores: pa.Table
    traces: pa.Table
    touched: frozenset[SubjectKey]
    upto: int


class Merge:
    """Turns segments into rows, in log order, with the state of every subject they touch."""

    def __init__(
        self,
        contributions: ReadBack,
        cache: SubjectCache,
        generations: Generations,
        *,
        compose: Compose,
        share_of: Callable[[str], Share | None] = lambda _: Share(),
    ) -> None:
        self._contributions = contributions
        self._cache = cache
        self._generations = generations
        self._merged_to = 0
        self._share_of = share_of
        self._unsettled: frozenset[SubjectKey] = frozenset()
        self._partials = PartialObservations(contributions, cache, compose)
        self.read_back = 0

    def learn_known_subjects(self) -> None:
        """Fill the filter with every stored subject: what it does not hold needs no read-back."""
        self._learn(self._contributions.known_subjects())

    def learn_subjects_of(self, projects: Sequence[str]) -> None:
        """Fill the filter with what other lanes have stored of these projects."""
        self._learn(self._contributions.subjects_of(projects))

    def _learn(self, blocks: Iterator[np.ndarray]) -> None:
        for block in blocks:
            self._cache.seen.add_many(block)

    def may_join(self, earlier: LogPosition, later: LogPosition) -> bool:
        """Whether two segments may be merged at once: between them no generation is raised."""
        return not self._generations.raised_between(earlier.segment, later.segment)

    def rows_of(self, segments: Sequence[Segment], tombstones: Sequence[Tombstone] = ()) -> MergedRows:
        """Merge segments into rows. What lies below one of their tombstones is no longer in them, but may be stored.

        Raises:
            Unavailable: a state could not be read back; nothing was merged, and the call may be repeated.
        """
        if not self.may_join(segments[0].position, segments[-1].position):
            raise ValueError(segments[0].position, segments[-1].position)
        # Behind a raise, what is cached may lack what other lanes have written in between.
        first = segments[0].position.segment
        self._cache.forget(self._generations.raised_between(self._merged_to, first))
        self.forget(tombstones)
        rescored = self._scores_below(tombstones)
        touched = frozenset(key for segment in segments for key in subjects_of(segment.batch)) | rescored.keys()
        self._unsettled = touched
        self._admit(touched, Emptied.by(tombstones))
        for key, limits in rescored.items():
            self._cache[key].drop_scores(limits)
        partial = self._partials.incoming(
            [self._placed_parts(segment) for segment in segments],
            [segment.batch.observations for segment in segments],
            touched,
        )
        observations = [self._observations(segment) for segment in segments]
        observations = self._partials.completed(observations, partial)
        scores = [self._scores(segment) for segment in segments]
        for segment in segments:
            self._trace_parts(segment)
        return MergedRows(
            pa.concat_tables(observations),
            pa.concat_tables(scores),
            self.rolled_up(touched),
            touched,
            segments[-1].position.segment,
        )

    def rolled_up(self, touched: Iterable[SubjectKey]) -> pa.Table:
        """The trace rows of these subjects, as their states are now."""
        rows = [
            roll_up(project_id, subject, state)
            for project_id, subject in touched
            if (state := self._cache[project_id, subject]).is_trace
        ]
        return trace_table(rows)

    def admit_stored(self, touched: frozenset[SubjectKey]) -> None:
        """Have the states of these subjects at hand, to change what is stored of them; raises Unavailable."""
        self._cache.forget(self._generations.raised_between(self._merged_to, _NO_SEGMENT))
        self._unsettled = touched
        self._admit(touched, Emptied.by(()))

    def settle(self, rows: MergedRows) -> int:
        """The rows are stored: states may be evicted now. Returns how many were."""
        self._unsettled = frozenset()
        self._merged_to = max(self._merged_to, rows.upto)
        return self._cache.settle(rows.touched)

    def forget_unsettled(self) -> None:
        """Drop the states whose rows were not stored: they are read back when they are touched again."""
        self._cache.discard(self._unsettled)
        self._unsettled = frozenset()

    def forget(self, tombstones: Iterable[Tombstone]) -> None:
        """Drop the states of what was deleted: what comes later starts anew."""
        emptied = Emptied.by(tombstones)
        self._cache.discard(emptied.subjects)
        if emptied.projects:
            self._cache.forget(emptied.projects)

    def limit_of(self, tombstone: Tombstone) -> int:
        """The version that rows below the tombstone have not reached, those of older generations included."""
        return row_version(
            self._generations.of(tombstone.project_id, tombstone.segment), tombstone.segment, tombstone.ordinal
        )

    def _scores_below(self, tombstones: Iterable[Tombstone]) -> dict[SubjectKey, dict[str, int]]:
        """The deleted scores that are stored, by subject: each subject's trace row is computed anew without them."""
        limits: dict[SubjectKey, int] = {}
        for one in tombstones:
            if one.subject_type is SubjectType.SCORE:
                key = (one.project_id, one.subject)
                limits[key] = max(self.limit_of(one), limits.get(key, 0))
        found: dict[SubjectKey, dict[str, int]] = {}
        for chunk in chunks(limits, lambda key: len(key[1])):
            rows = self._contributions.scores_by_id(sorted({key[0] for key in chunk}), [key[1] for key in chunk])
            for subject, score_id in zip(score_keys(rows), rows["id"].to_pylist(), strict=True):
                limit, share = limits.get((subject[0], score_id)), self._share_of(subject[0])
                if limit is not None and share is not None and share.has(subject[1]):
                    found.setdefault(subject, {})[score_id] = limit
        return found

    def _admit(self, touched: Iterable[SubjectKey], emptied: Emptied) -> None:
        # Of what was deleted, rows may still be stored: they are removed behind the insert.
        unknown = [key for key in self._cache.admit(touched) if key not in emptied]
        read = 0
        try:
            for chunk in chunks(unknown, lambda key: len(key[1])):
                self._read_back(chunk)
                read += len(chunk)
        finally:
            # An empty state that was not read back would be taken for a whole one.
            self._cache.discard(unknown[read:])
        self.read_back += read

    def _read_back(self, keys: list[SubjectKey]) -> None:
        wanted = set(keys)
        projects, subjects = sorted({key[0] for key in keys}), [key[1] for key in keys]
        found = self._contributions.observations(projects, subjects)
        scores = self._contributions.scores(projects, subjects)
        traces = self._contributions.traces(projects, subjects)
        for key, contribution in zip(keys_of(found, "trace_id"), observation_contributions(found), strict=True):
            if key in wanted:
                self._cache[key].observations[contribution.id] = contribution
        for key, observation in _places(found.filter(found["in_parts"])):
            if key in wanted:
                self._cache[key].in_parts |= {observation}
        for key, score in zip(score_keys(scores), score_contributions(scores), strict=True):
            if key in wanted:
                self._cache[key].scores[score.id] = score
        for key, row in zip(keys_of(traces, "id"), _stored_traces(traces), strict=True):
            if key in wanted:
                row.restore(self._cache[key])

    def _observations(self, segment: Segment) -> pa.Table:
        mapped = segment.batch.observations
        if mapped.num_rows == 0:
            return tables.OBSERVATIONS.empty_table()
        lane = LaneColumns.of(segment.batch, mapped, place="start_time", versions=self._versions(segment, mapped))
        placed = lane.added_to(mapped)
        for index, (key, mapped_contribution) in enumerate(
            zip(keys_of(mapped, "trace_id"), observation_contributions(placed), strict=True)
        ):
            state = self._cache[key]
            contribution = mapped_contribution
            known = state.observations.get(contribution.id)
            if known is not None:
                lane.keep_place(index, known.placed_at, known.created_at)
                contribution = contribution._replace(placed_at=known.placed_at, created_at=known.created_at)
            state.propose_place(contribution.placed_at, contribution.created_at, contribution.row_version)
            if known is None or known.row_version <= contribution.row_version:
                state.observations[contribution.id] = contribution
                state.partial.pop(contribution.id, None)
        return lane.added_to(mapped).cast(tables.OBSERVATIONS)

    def _scores(self, segment: Segment) -> pa.Table:
        mapped = segment.batch.scores
        if mapped.num_rows == 0:
            return tables.SCORES.empty_table()
        lane = LaneColumns.of(segment.batch, mapped, place="timestamp", versions=self._versions(segment, mapped))
        placed = lane.added_to(mapped)
        for index, (key, mapped_score) in enumerate(zip(score_keys(mapped), score_contributions(placed), strict=True)):
            state = self._cache[key]
            score = mapped_score
            known = state.scores.get(score.id)
            if known is not None:
                lane.keep_place(index, known.placed_at, known.created_at)
                score = score._replace(placed_at=known.placed_at, created_at=known.created_at)
            if known is None or known.row_version <= score.row_version:
                state.scores[score.id] = score
        return lane.added_to(mapped).cast(tables.SCORES)

    def _placed_parts(self, segment: Segment) -> PlacedParts:
        parts = segment.batch.observation_parts
        if parts.num_rows == 0:
            return PlacedParts(parts, _NOTHING, _NOTHING)
        received = segment.batch.records["received_at"].cast(pa.int64()).to_numpy()[parts["record"].to_numpy()]
        return PlacedParts(parts, received, self._versions(segment, parts))

    def _trace_parts(self, segment: Segment) -> None:
        parts = segment.batch.trace_parts
        if parts.num_rows == 0:
            return
        lane = LaneColumns.of(segment.batch, parts, place="stamped_at", versions=self._versions(segment, parts))
        fields = (plain_values(parts[name]) for name in ("field", "value", "stamped_at", "stamp_id"))
        places = (lane.created_at.tolist(), lane.row_version.tolist())
        for key, received_at, version, field, value, stamped_at, stamp_id in zip(
            keys_of(parts, "trace_id"), *places, *fields, strict=True
        ):
            state = self._cache[key]
            state.parts = merge_parts(state.parts, [Part(field, value, stamped_at, stamp_id)])
            state.parts_version = max(state.parts_version, version)
            state.parts_updated_at = max(state.parts_updated_at, received_at)
            state.propose_place(stamped_at, received_at, version)

    def _versions(self, segment: Segment, rows: pa.Table) -> np.ndarray:
        base = np.uint64(segment.position.segment << ORDINAL_BITS)
        versions: np.ndarray = rows["record"].to_numpy().astype(np.uint64) | base
        number = segment.position.segment
        generations = {
            project: self._generations.of(project, number) for project in set(rows["project_id"].to_pylist())
        }
        if any(generations.values()):
            shift = SEGMENT_BITS + ORDINAL_BITS
            mask = (1 << GENERATION_BITS) - 1
            raised = [(generations[project] & mask) << shift for project in rows["project_id"].to_pylist()]
            versions |= np.array(raised, dtype=np.uint64)
        return versions


@dataclass
class LaneColumns:
    """The columns that a lane adds to rows; times in microseconds."""

    placed_at: np.ndarray
    created_at: np.ndarray
    updated_at: np.ndarray
    row_version: np.ndarray

    @classmethod
    def of(cls, batch: MappedBatch, rows: pa.Table, *, place: str, versions: np.ndarray) -> "LaneColumns":
        """Of rows that are stored for the first time; `place` names the column that tells where they lie."""
        received = batch.records["received_at"].cast(pa.int64()).to_numpy()[rows["record"].to_numpy()]
        placed_at = rows[place].cast(pa.int64()).to_numpy().copy()
        return cls(placed_at, received.copy(), received, versions)

    def keep_place(self, index: int, placed_at: int, created_at: int) -> None:
        """The row at `index` replaces one that lies elsewhere already."""
        self.placed_at[index] = placed_at
        self.created_at[index] = created_at

    def added_to(self, rows: pa.Table) -> pa.Table:
        """The mapped rows with these columns instead of their record."""
        complete = rows.drop_columns(["record"])
        for name, values in vars(self).items():
            type_ = pa.uint64() if name == "row_version" else tables.TIME
            complete = complete.append_column(pa.field(name, type_, nullable=False), pa.array(values).cast(type_))
        return complete


def subjects_of(batch: MappedBatch) -> Iterable[SubjectKey]:
    """The subjects that a batch's rows belong to, some of them repeatedly."""
    yield from set(keys_of(batch.observations, "trace_id"))
    yield from set(score_keys(batch.scores))
    yield from set(keys_of(batch.trace_parts, "trace_id"))
    yield from set(keys_of(batch.observation_parts, "trace_id"))


def keys_of(rows: pa.Table, subject: str) -> Iterable[SubjectKey]:
    """The subject of each row, by the column of its trace."""
    return zip(rows["project_id"].to_pylist(), rows[subject].to_pylist(), strict=True)


def _places(rows: pa.Table) -> Iterable[tuple[SubjectKey, str]]:
    return zip(keys_of(rows, "trace_id"), rows["id"].to_pylist(), strict=True)


def score_keys(rows: pa.Table) -> Iterable[SubjectKey]:
    """The subject of each score."""
    names = ("project_id", "trace_id", "session_id", "dataset_run_id")
    for project_id, trace_id, session_id, run_id in zip(*(rows[name].to_pylist() for name in names), strict=True):
        yield project_id, trace_id or (session_subject(session_id) if session_id else run_subject(run_id))


class _StoredTrace(NamedTuple):
    placed_at: int
    created_at: int
    bookmarked: bool
    merge_state: str
    input: str
    output: str
    updated_at: int
    row_version: int

    def restore(self, state: SubjectState) -> None:
        state.place = TracePlace(self.placed_at, self.created_at, self.bookmarked)
        state.least_version = self.row_version
        if self.merge_state:
            state.parts = load_parts(self.merge_state, {"input": self.input, "output": self.output})
            state.parts_version = self.row_version
            state.parts_updated_at = self.updated_at


def _stored_traces(rows: pa.Table) -> Iterable[_StoredTrace]:
    return map(_StoredTrace._make, zip(*(plain_values(rows[name]) for name in _StoredTrace._fields), strict=True))

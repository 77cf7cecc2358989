"""Rows of the past under another mapping: as if that had been today's from the start, whatever happens around."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.generations import Generations
from actors.merge import Merge, Segment
from actors.remapping import RemapCounts, Remapping
from actors.seen_filter import SeenFilter
from actors.subject_cache import SubjectCache
from heliograph.domain.deletions import Buried, SubjectType, Tombstone
from heliograph.domain.events import MappedBatch
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import row_version
from heliograph.domain.remapping import Remapped
from tests.stored_rows import StoredRows
from tests.unit.actors.batches import PROJECT, RECEIVED_AT, Score, Span, TracePart, compose
from tests.unit.actors.test_merge import parts, scores, segment, spans

LANE = LaneNumber(3)
NOTHING_BURIED = Buried(())
Event = Span | Score | TracePart


class Owner:
    """A lane's merging, with what a replay asks of it."""

    def __init__(self, stored: StoredRows, *, max_contributions: int = 1_000) -> None:
        self._stored = stored
        cache = SubjectCache(max_contributions, SeenFilter(1 << 16))
        self.merge = Merge(stored, cache, Generations(), compose=compose)
        self._remapping = Remapping(LANE, self.merge, cache, read=stored, compose=compose, lighten=_as_it_is)
        self.merge.learn_known_subjects()

    def flush(self, *segments: Segment) -> None:
        rows = self.merge.rows_of(segments)
        for table in ("observations", "scores", "traces"):
            self._stored.insert(table, getattr(rows, table))
        self.merge.settle(rows)

    def remap(self, remapped: Remapped, buried: Buried = NOTHING_BURIED, *, is_trial: bool = False) -> RemapCounts:
        rows, counts = self._remapping.rows_of(remapped, buried)
        if is_trial:
            self.merge.forget_unsettled()
            return counts
        for table in ("observations", "scores", "traces"):
            self._stored.insert(table, getattr(rows, table))
        self.merge.settle(rows)
        return counts


def _as_it_is(batch: MappedBatch, *, is_trial: bool) -> MappedBatch:
    del is_trial
    return batch


def remapped_of(*segments: Segment, lane: int = LANE) -> Remapped:
    versions = [
        row_version(0, one.position.segment, ordinal)
        for one in segments
        for ordinal in range(one.batch.records.num_rows)
    ]
    batch = MappedBatch.concat([one.batch for one in segments])
    return Remapped(batch, np.array(versions, np.uint64), np.full(len(versions), lane, np.int32))


def cost(stored: StoredRows) -> list[int]:
    return [int(row["total_cost"].scaleb(12)) for row in stored.logical("traces")]


def test_a_remapped_row_keeps_place_and_version_and_its_trace_is_rolled_up() -> None:
    stored = StoredRows()
    owner = Owner(stored)
    owner.flush(segment(1, Span("a", total_cost=5), Span("b", total_cost=7)))
    before = stored.logical("observations", without=("total_cost",))

    counts = owner.remap(remapped_of(segment(1, Span("a", total_cost=50), Span("b", total_cost=70))))

    assert stored.logical("observations", without=("total_cost",)) == before
    assert cost(stored) == [120]
    assert (counts.written, counts.traces) == (2, 1)
    owner.flush(segment(2, Span("c", total_cost=1)))
    assert cost(stored) == [121]


def test_what_a_later_record_has_replaced_is_left_alone() -> None:
    stored = StoredRows()
    owner = Owner(stored)
    owner.flush(segment(1, Span("a", total_cost=5)))
    owner.flush(segment(2, Span("a", total_cost=6)))
    counts = owner.remap(remapped_of(segment(1, Span("a", total_cost=50))))
    assert cost(stored) == [6]
    assert (counts.written, counts.newer) == (0, 1)


def test_a_trial_stores_nothing_and_leaves_no_state_behind() -> None:
    stored = StoredRows()
    owner = Owner(stored)
    owner.flush(segment(1, Span("a", total_cost=5)))
    counts = owner.remap(remapped_of(segment(1, Span("a", total_cost=50))), is_trial=True)
    assert counts.written == 1
    owner.flush(segment(2, Span("b", total_cost=1)))
    assert cost(stored) == [6]


def test_what_was_deleted_does_not_come_back() -> None:
    stored = StoredRows()
    owner = Owner(stored)
    grave = Tombstone(ProjectId(PROJECT), SubjectType.TRACE, "trace-1", LANE, segment=2, ordinal=0)
    counts = owner.remap(remapped_of(segment(1, Span("a"))), Buried([grave]))
    assert stored.logical("observations") == stored.logical("traces") == []
    assert counts.written == 0


def test_a_record_that_gave_no_row_gives_one_unless_another_lane_may_have_deleted_it() -> None:
    stored = StoredRows()
    owner = Owner(stored)
    assert owner.remap(remapped_of(segment(1, Span("a")), lane=LANE + 1)).absent == 1
    assert stored.logical("observations") == []
    assert owner.remap(remapped_of(segment(1, Span("a")))).added == 1
    assert len(stored.logical("observations")) == len(stored.logical("traces")) == 1


def test_a_field_of_a_trace_is_what_its_event_sets_today() -> None:
    stored = StoredRows()
    owner = Owner(stored, max_contributions=0)
    owner.flush(segment(1, Span("a"), TracePart("input", "zz", RECEIVED_AT, "e1")))
    owner.flush(segment(2, TracePart("output", "of another", RECEIVED_AT, "e2")))
    owner.remap(remapped_of(segment(1, Span("a"), TracePart("input", "aa", RECEIVED_AT, "e1"))))
    (trace,) = stored.logical("traces")
    assert (trace["input"], trace["output"]) == ("aa", "of another")


def test_the_row_without_a_deleted_score_is_replaced_after_its_state_was_evicted() -> None:
    stored = StoredRows()
    owner = Owner(stored, max_contributions=0)
    owner.flush(segment(1, Span("a", total_cost=5), Score("s")))
    grave = Tombstone(ProjectId(PROJECT), SubjectType.SCORE, "s", LANE, segment=2, ordinal=0)
    rows = owner.merge.rows_of([segment(2, Span("z", trace_id="other"))], [grave])
    stored.insert("traces", rows.traces)
    stored.remove("scores", lambda _: True)
    owner.merge.settle(rows)
    owner.remap(remapped_of(segment(1, Span("a", total_cost=50))))
    assert 50 in cost(stored)


@given(
    events=st.lists(st.one_of(spans, scores, parts), min_size=1, max_size=14),
    flushed=st.integers(1, 14),
    remaps=st.lists(st.tuples(st.integers(0, 13), st.integers(1, 14)), max_size=6),
    restarts=st.sets(st.integers(0, 6)),
    max_contributions=st.sampled_from([0, 1_000]),
)
@settings(max_examples=25, deadline=None)
def test_a_replay_amid_events_leaves_what_today_s_mapping_gives_alone(
    *, events: list[Event], flushed: int, remaps: list[tuple[int, int]], restarts: set[int], max_contributions: int
) -> None:
    events = [_stamped(number, event) for number, event in enumerate(events)]
    past, later = events[:flushed], events[flushed:]
    expected = StoredRows()
    today = [segment(number, _today(event)) for number, event in enumerate(events, 1)]
    Owner(expected).flush(*today)

    stored = StoredRows()
    owner = Owner(stored, max_contributions=max_contributions)
    for number, event in enumerate(past, 1):
        owner.flush(segment(number, event))
    waiting = [segment(number, _today(event)) for number, event in enumerate(later, len(past) + 1)]
    # Some portions of the past, perhaps repeatedly, with later events in between; at the end all of it.
    for step, (first, count) in enumerate(remaps):
        if step in restarts:
            owner = Owner(stored, max_contributions=max_contributions)
        portion = today[: len(past)][first : first + count]
        if portion:
            owner.remap(remapped_of(*portion))
        if waiting:
            owner.flush(waiting.pop(0))
    for one in waiting:
        owner.flush(one)
    owner.remap(remapped_of(*today[: len(past)]))

    for table in ("observations", "traces", "scores"):
        assert stored.logical(table) == expected.logical(table)


def _stamped(number: int, event: Event) -> Event:
    """A stamp of its own for every part, as events have."""
    return replace(event, stamp_id=f"e{number}") if isinstance(event, TracePart) else event


def _today(event: Event) -> Event:
    match event:
        case Span():
            return replace(event, total_cost=event.total_cost // 2 + 1, name=f"{event.name} today")
        case Score():
            return replace(event, name=f"{event.name} today")
        case _:
            return replace(event, value=f"{event.value[::-1]} today" if event.value else "")

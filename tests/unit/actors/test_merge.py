"""Merging gives the same rows whatever the order of batches, repetitions, evictions and restarts."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.generations import Generations
from actors.merge import Merge, Segment
from actors.rollup import SubjectState
from actors.seen_filter import SeenFilter
from actors.subject_cache import SubjectCache
from heliograph.domain.events import MappedBatch
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.lanes import LogPosition, RaisedGeneration, row_version
from ingestion.merge import Part, merge_parts
from tests.stored_rows import StoredRows
from tests.unit.actors.batches import PROJECT, RECEIVED_AT, Score, Span, TracePart, batch_of, compose

SECOND = 1_000_000
PLACES = ("placed_at", "created_at", "updated_at", "row_version")


def merge_into(stored: StoredRows, *, max_contributions: int = 1_000) -> Merge:
    merge = Merge(stored, SubjectCache(max_contributions, SeenFilter(1 << 16)), Generations(), compose=compose)
    merge.learn_known_subjects()
    return merge


def flush(merge: Merge, stored: StoredRows, segments: Sequence[Segment]) -> None:
    rows = merge.rows_of(segments)
    stored.insert("observations", rows.observations)
    stored.insert("scores", rows.scores)
    stored.insert("traces", rows.traces)
    merge.settle(rows)


def segment(number: int, *events: Span | Score | TracePart) -> Segment:
    return Segment(LogPosition(1, number), batch_of(*events))


def test_a_trace_is_rolled_up_from_its_observations() -> None:
    stored = StoredRows()
    flush(
        merge_into(stored),
        stored,
        [
            segment(
                1,
                Span("root", name="agent", start_time=RECEIVED_AT, end_time=RECEIVED_AT + 3 * SECOND),
                Span("a", parent_observation_id="root", total_cost=5, total_tokens=10, level="ERROR", user_id="u"),
                Span("b", parent_observation_id="root", total_cost=7, total_tokens=1, tags=("x",)),
            )
        ],
    )
    (trace,) = stored.logical("traces")
    assert trace["name"] == "agent"
    assert trace["root_observation_id"] == "root"
    assert trace["observation_count"] == 3
    assert trace["error_count"] == 1
    assert trace["level"] == "ERROR"
    assert int(trace["total_cost"].scaleb(12)) == 12
    assert trace["total_tokens"] == 11
    assert trace["latency_ms"] == 3000
    assert trace["user_id"] == "u"
    assert trace["tags"] == ["x"]


def test_a_repeated_span_replaces_itself_even_with_another_start_time() -> None:
    stored = StoredRows()
    merge = merge_into(stored)
    flush(merge, stored, [segment(1, Span("a", total_cost=5))])
    flush(merge, stored, [segment(2, Span("a", total_cost=9, start_time=RECEIVED_AT + 40 * 86_400 * SECOND))])
    (observation,) = stored.logical("observations")
    (trace,) = stored.logical("traces")
    assert int(observation["total_cost"].scaleb(12)) == 9
    assert int(trace["total_cost"].scaleb(12)) == 9
    assert trace["observation_count"] == 1


def test_a_score_alone_makes_no_trace_but_counts_once_the_trace_is_there() -> None:
    stored = StoredRows()
    merge = merge_into(stored, max_contributions=0)
    flush(merge, stored, [segment(1, Score("s", value=0.5))])
    assert stored.logical("traces") == []
    flush(merge, stored, [segment(2, Span("a"))])
    (trace,) = stored.logical("traces")
    assert trace["score_count"] == 1
    assert trace["score_values"] == [("quality", 0.5)]


def test_absurd_token_counts_are_held_at_the_columns_bound() -> None:
    stored = StoredRows()
    spans = [Span("a", total_tokens=2**64 - 1), Span("b", total_tokens=2**64 - 1)]
    flush(merge_into(stored), stored, [segment(1, *spans)])
    (trace,) = stored.logical("traces")
    assert trace["total_tokens"] == 2**64 - 1


def test_a_large_payload_weighs_more_than_a_small_one() -> None:
    small, large = SubjectState(), SubjectState()
    small.parts = merge_parts({}, [Part("input", "a", 1, "x")])
    large.parts = merge_parts({}, [Part("input", "a" * 1_000_000, 1, "x")])
    assert large.weight > 1_000 > small.weight


def test_session_scores_touch_no_trace() -> None:
    stored = StoredRows()
    flush(merge_into(stored), stored, [segment(1, Score("s", trace_id="", session_id="chat", value=1))])
    assert len(stored.logical("scores")) == 1
    assert stored.logical("traces") == []


def test_a_field_set_on_the_trace_survives_eviction_and_an_older_rival() -> None:
    stored = StoredRows()
    merge = merge_into(stored, max_contributions=0)
    flush(merge, stored, [segment(1, TracePart("input", "new", RECEIVED_AT + 2, "b"), Span("a"))])
    flush(merge, stored, [segment(2, TracePart("input", "old", RECEIVED_AT + 1, "a"))])
    (trace,) = stored.logical("traces")
    assert trace["input"] == "new"
    assert trace["observation_count"] == 1


def test_versions_are_log_positions_and_carry_the_generation() -> None:
    stored = StoredRows()
    raised = RaisedGeneration(ProjectId(PROJECT), from_segment=7, generation=3)
    merge = Merge(stored, SubjectCache(10, SeenFilter(1 << 10)), Generations([raised]), compose=compose)
    flush(merge, stored, [segment(7, Span("a"), Span("b"))])
    assert [row["row_version"] for row in stored.logical("observations")] == [
        row_version(3, 7, 0),
        row_version(3, 7, 1),
    ]


@pytest.mark.parametrize("max_contributions", [0, 1_000])
def test_replaying_the_log_from_the_start_changes_no_row(max_contributions: int) -> None:
    log = [
        segment(1, Span("a", total_cost=1), Span("b", parent_observation_id="a", total_cost=2)),
        segment(2, Span("a", total_cost=3, start_time=RECEIVED_AT - SECOND), Score("s", value=1)),
        segment(3, Span("c", trace_id="trace-2", total_cost=4)),
    ]
    stored = StoredRows()
    merge = merge_into(stored, max_contributions=max_contributions)
    for one in log:
        flush(merge, stored, [one])
    before = {name: stored.logical(name) for name in ("observations", "traces", "scores")}
    replay = merge_into(stored, max_contributions=max_contributions)
    for one in log:
        flush(replay, stored, [one])
    assert {name: stored.logical(name) for name in before} == before


spans = st.builds(
    Span,
    id=st.sampled_from(["a", "b", "c"]),
    trace_id=st.sampled_from(["trace-1", "trace-2"]),
    parent_observation_id=st.sampled_from(["", "a"]),
    start_time=st.integers(RECEIVED_AT - 10 * SECOND, RECEIVED_AT),
    level=st.sampled_from(["DEFAULT", "ERROR"]),
    trace_name=st.sampled_from(["", "x", "y"]),
    tags=st.sampled_from([(), ("p",), ("q",)]),
    total_cost=st.integers(0, 10**12),
)
scores = st.builds(Score, id=st.sampled_from(["s", "t"]), value=st.floats(0, 1))
parts = st.builds(
    TracePart,
    field=st.sampled_from(["input", "output"]),
    value=st.text("abc", max_size=3),
    stamped_at=st.integers(RECEIVED_AT, RECEIVED_AT + 3),
    stamp_id=st.sampled_from(["a", "b"]),
)


@given(
    events=st.lists(st.one_of(spans, scores, parts), min_size=1, max_size=14),
    cuts=st.sets(st.integers(1, 13)),
    flushes=st.sets(st.integers(1, 13)),
    restarts=st.sets(st.integers(0, 13)),
)
@settings(max_examples=60, deadline=None)
def test_batches_evictions_and_restarts_leave_the_same_rows(
    events: list[Span | Score | TracePart], cuts: set[int], flushes: set[int], restarts: set[int]
) -> None:
    log = list(_segments(events, cuts))
    at_once = StoredRows()
    flush(merge_into(at_once), at_once, log)
    piecewise = StoredRows()
    merge = merge_into(piecewise, max_contributions=0)
    waiting: list[Segment] = []
    for index, one in enumerate(log):
        waiting.append(one)
        if index in restarts:
            merge = merge_into(piecewise, max_contributions=0)
        if index in flushes or index == len(log) - 1:
            flush(merge, piecewise, waiting)
            waiting = []
    for name in ("observations", "traces", "scores"):
        assert piecewise.logical(name) == at_once.logical(name)


def _segments(events: list[Span | Score | TracePart], cuts: set[int]) -> list[Segment]:
    bounds = [0, *sorted(cut for cut in cuts if cut < len(events)), len(events)]
    return [
        Segment(LogPosition(1, number), batch)
        for number, batch in enumerate(map(_batch, [events[a:b] for a, b in pairwise(bounds)]), 1)
    ]


def _batch(events: list[Span | Score | TracePart]) -> MappedBatch:
    return batch_of(*events)

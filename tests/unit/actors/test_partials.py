"""Events of batch ingestion give the same traces and observations however they are ordered, split and repeated."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.generations import Generations
from actors.merge import Merge, Segment
from actors.seen_filter import SeenFilter
from actors.subject_cache import SubjectCache
from heliograph.domain.events import IngestionFacts
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.lanes import LogPosition
from ingestion.batch import events, mapping
from ingestion.batch.events import Event
from ingestion.otlp import MappingContext
from ingestion.values import to_json
from tests.stored_rows import StoredRows
from tests.unit.actors.batches import PROJECT, Span, batch_of, compose

RECEIVED_AT = datetime(2026, 11, 20, tzinfo=UTC)
CONTEXT = MappingContext(ProjectId(PROJECT), IngestionFacts(public_key="pk", sdk_name="js"), RECEIVED_AT)
PLACES = ("placed_at", "created_at", "updated_at", "row_version")


def event(number: int, kind: str, second: int, **body: Any) -> Event:
    """An event `second` seconds after noon."""
    envelope = {"id": f"e{number}", "type": kind, "timestamp": f"2026-11-20T12:00:{second:02}Z", "body": body}
    decoded = events.decode(to_json({"batch": [envelope]}).encode())
    assert decoded.errors == []
    return decoded.events[0]


def merge_into(stored: StoredRows, *, max_contributions: int = 1_000) -> Merge:
    merge = Merge(stored, SubjectCache(max_contributions, SeenFilter(1 << 16)), Generations(), compose=compose)
    merge.learn_known_subjects()
    return merge


def flush(merge: Merge, stored: StoredRows, segments: Sequence[Segment]) -> None:
    rows = merge.rows_of(segments)
    for table in ("observations", "scores", "traces"):
        stored.insert(table, getattr(rows, table))
    merge.settle(rows)


def segment(number: int, *found: Event) -> Segment:
    return Segment(LogPosition(1, number), mapping.map_events(found, CONTEXT))


def stored_after(*found: Event) -> StoredRows:
    stored = StoredRows()
    flush(merge_into(stored), stored, [segment(1, *found)])
    return stored


def test_a_generation_is_whole_after_its_update() -> None:
    (row,) = stored_after(
        event(1, "generation-create", 1, id="g", traceId="t", name="ask", model="gpt-4o", input=[1]),
        event(
            2, "generation-update", 3, id="g", traceId="t", output="yes", usage={"promptTokens": 9, "totalTokens": 12}
        ),
    ).logical("observations")

    assert (row["type"], row["name"], row["input"], row["output"]) == ("GENERATION", "ask", "[1]", "yes")
    assert dict(row["usage_details"]) == {"input": 9, "total": 12}
    assert row["start_time"] == datetime(2026, 11, 20, 12, 0, 1, tzinfo=UTC)
    assert row["total_cost"] > 0


def test_a_trace_event_makes_a_trace_without_observations() -> None:
    (row,) = stored_after(
        event(1, "trace-create", 1, id="t", name="chat", userId="u", tags=["b"], metadata={"a": {"x": 1}}),
        event(2, "trace-create", 2, id="t", sessionId="s", tags=["a"], metadata={"a": {"y": 2}}, output="done"),
    ).logical("traces")

    assert (row["name"], row["user_id"], row["session_id"], row["tags"]) == ("chat", "u", "s", ["a", "b"])
    assert dict(row["metadata"]) == {"a": '{"x":1,"y":2}'}
    assert row["output"] == "done"
    assert row["observation_count"] == 0


def test_an_explicit_null_overwrites_and_an_empty_payload_does_not() -> None:
    (row,) = stored_after(
        event(1, "trace-create", 1, id="t", name="chat", userId="u", input="question"),
        event(2, "trace-create", 2, id="t", userId=None, input=""),
    ).logical("traces")

    assert (row["name"], row["user_id"], row["input"]) == ("chat", "", "question")


def test_start_and_environment_are_those_of_the_first_event() -> None:
    (row,) = stored_after(
        event(2, "span-update", 9, id="o", traceId="t", startTime="2026-11-20T12:00:08Z", environment="late"),
        event(1, "span-create", 5, id="o", traceId="t", startTime="2026-11-20T12:00:04Z", environment="early"),
    ).logical("observations")

    assert row["start_time"] == datetime(2026, 11, 20, 12, 0, 4, tzinfo=UTC)
    assert row["environment"] == "early"


def test_an_event_changes_a_span_that_came_whole() -> None:
    stored = StoredRows()
    span = Segment(LogPosition(1, 1), batch_of(Span("o", trace_id="t", name="work", total_cost=5, user_id="u")))
    flush(merge_into(stored), stored, [span])
    changed = event(1, "span-update", 59, id="o", traceId="t", output="done", level="ERROR")

    flush(merge_into(stored), stored, [segment(2, changed)])

    (row,) = stored.logical("observations")
    assert (row["name"], row["output"], row["level"], row["user_id"]) == ("work", "done", "ERROR", "u")
    (trace,) = stored.logical("traces")
    assert (trace["error_count"], trace["user_id"]) == (1, "u")


def test_a_span_that_comes_whole_replaces_what_events_before_it_said() -> None:
    stored = StoredRows()
    merge = merge_into(stored)
    flush(merge, stored, [segment(1, event(1, "span-create", 1, id="o", traceId="t", name="part"))])

    flush(merge, stored, [Segment(LogPosition(1, 2), batch_of(Span("o", trace_id="t", name="whole")))])
    flush(merge, stored, [segment(3, event(2, "span-update", 59, id="o", traceId="t", output="done"))])

    (row,) = stored.logical("observations")
    assert (row["name"], row["output"]) == ("whole", "done")


BODIES = st.fixed_dictionaries(
    {"id": st.sampled_from(["o1", "o2"]), "traceId": st.just("t")},
    optional={
        "name": st.sampled_from(["a", "b", None]),
        "startTime": st.sampled_from(["2026-11-20T11:59:00Z", "2026-11-20T11:58:00Z"]),
        "endTime": st.just("2026-11-20T12:30:00Z"),
        "output": st.sampled_from(["x", "", {"y": 1}]),
        "metadata": st.sampled_from([{"k": 1}, {"k": {"z": 1}}, {"k": {"z": 2, "w": 3}}, {"l": []}, "text"]),
        "model": st.sampled_from(["gpt-4o", "unknown"]),
        "usage": st.sampled_from([{"input": 3}, {"promptTokens": 5, "completionTokens": 7}]),
        "usageDetails": st.just({"input": 11}),
        "costDetails": st.sampled_from([{"total": 0.5}, {"input": 0.25}]),
        "environment": st.sampled_from(["prod", "dev"]),
    },
)
TRACE_BODIES = st.fixed_dictionaries(
    {"id": st.just("t")},
    optional={"name": st.sampled_from(["n", None]), "tags": st.lists(st.sampled_from("abc")), "public": st.booleans()},
)
KINDS = st.sampled_from(["span-create", "generation-create", "generation-update", "agent-create"])
EVENTS = st.lists(
    st.one_of(
        st.tuples(KINDS, st.integers(0, 3), BODIES),
        st.tuples(st.just("trace-create"), st.integers(0, 3), TRACE_BODIES),
    ),
    min_size=1,
    max_size=8,
)


def logical(stored: StoredRows) -> list[list[dict[str, Any]]]:
    return [stored.logical(table, without=PLACES) for table in ("observations", "traces")]


@settings(max_examples=150, deadline=None)
@given(EVENTS, st.randoms(use_true_random=False), st.lists(st.integers(0, 10), max_size=3), st.integers(1, 3))
def test_order_splits_repetition_evictions_and_restarts_change_nothing(
    described: list[tuple[str, int, dict[str, Any]]], random: Any, cuts: list[int], max_contributions: int
) -> None:
    found = [event(number, kind, second, **body) for number, (kind, second, body) in enumerate(described)]
    expected = logical(stored_after(*found))
    shuffled = [*found, *random.sample(found, len(found) // 2)]
    random.shuffle(shuffled)
    bounds = sorted({0, len(shuffled), *(min(cut, len(shuffled)) for cut in cuts)})
    segments = [segment(n, *shuffled[a:b]) for n, (a, b) in enumerate(pairwise(bounds), 1)]
    stored = StoredRows()
    merge = merge_into(stored, max_contributions=max_contributions)
    for one in segments:
        flush(merge, stored, [one])
        if random.random() < 0.3:
            merge = merge_into(stored, max_contributions=max_contributions)

    assert logical(stored) == expected
    flush(merge_into(stored), stored, segments)
    assert logical(stored) == expected

"""Spans that come hours or months late, in any order and sent again with other start times, leave exact traces."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stored_rows import StoredRows
from tests.unit.actors.batches import RECEIVED_AT, Span
from tests.unit.actors.test_merge import PLACES, flush, merge_into, segment

HOUR = 3_600 * 10**6
STARTS = st.sampled_from([RECEIVED_AT - ago * HOUR for ago in (0, 1, 30, 31 * 24, 400 * 24)])
LATE = st.lists(
    st.builds(
        Span,
        id=st.sampled_from("abcd"),
        parent_observation_id=st.sampled_from(["", "a"]),
        start_time=STARTS,
        level=st.sampled_from(["DEFAULT", "ERROR"]),
        total_cost=st.integers(0, 10**9),
        total_tokens=st.integers(0, 100),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(LATE, st.sampled_from([0, 1_000]), st.sets(st.integers(0, 7)))
def test_a_late_span_updates_its_trace_and_one_sent_again_replaces_itself(
    sent: list[Span], max_contributions: int, restarts: set[int]
) -> None:
    stored = StoredRows()
    merge = merge_into(stored, max_contributions=max_contributions)
    for number, span in enumerate(sent, 1):
        if number in restarts:
            merge = merge_into(stored, max_contributions=max_contributions)
        flush(merge, stored, [segment(number, span)])

    last = {span.id: span for span in sent}
    rows = stored.logical("observations")
    assert [row["id"] for row in rows] == sorted(last)
    (trace,) = stored.logical("traces")
    assert trace["observation_count"] == len(last)
    assert int(trace["total_cost"].scaleb(12)) == sum(span.total_cost for span in last.values())
    assert trace["total_tokens"] == sum(span.total_tokens for span in last.values())
    assert trace["error_count"] == sum(span.level == "ERROR" for span in last.values())
    assert int(trace["timestamp"].timestamp() * 10**6) == min(span.start_time for span in last.values())


@settings(max_examples=40, deadline=None)
@given(LATE, st.randoms(use_true_random=False))
def test_the_order_in_which_different_spans_come_does_not_matter(sent: list[Span], random: Any) -> None:
    once = list({span.id: span for span in sent}.values())
    shuffled = list(once)
    random.shuffle(shuffled)

    def trace_after(spans: list[Span]) -> list[dict[str, Any]]:
        stored = StoredRows()
        merge = merge_into(stored, max_contributions=0)
        for number, span in enumerate(spans, 1):
            flush(merge, stored, [segment(number, span)])
        return stored.logical("traces", without=PLACES)

    assert trace_after(shuffled) == trace_after(once)

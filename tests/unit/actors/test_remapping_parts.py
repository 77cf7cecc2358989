"""Observations and traces that came in parts, under another mapping."""

from dataclasses import replace
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from actors.merge import Segment
from heliograph.domain.lanes import LogPosition
from ingestion.batch import mapping
from ingestion.batch.events import Event
from tests.stored_rows import StoredRows
from tests.unit.actors.batches import Span, batch_of
from tests.unit.actors.test_partials import CONTEXT, EVENTS, event
from tests.unit.actors.test_remapping import Owner, remapped_of

Described = tuple[str, int, dict[str, Any]] | Span
SPANS = st.builds(Span, id=st.sampled_from(["o1", "o2"]), trace_id=st.just("t"), name=st.sampled_from(["p", "q"]))


def test_an_event_that_was_merged_sets_what_it_sets_today() -> None:
    stored = StoredRows()
    owner = Owner(stored)
    created = event(1, "generation-create", 1, id="g", traceId="t", name="ask", model="gpt-4o", output="draft")
    updated = event(2, "generation-update", 3, id="g", traceId="t", output="yes", usage={"input": 9})
    owner.flush(_of(1, created))
    owner.flush(_of(2, updated))
    (before,) = stored.logical("observations", without=("name", "output", "output_preview", "merge_state"))

    # Today the update sets no output, so that the draft is what remains.
    silent = event(2, "generation-update", 3, id="g", traceId="t", usage={"input": 9})
    renamed = event(1, "generation-create", 1, id="g", traceId="t", name="asked", model="gpt-4o", output="draft")
    owner.remap(remapped_of(_of(1, renamed), _of(2, silent)))

    (row,) = stored.logical("observations")
    assert (row["name"], row["output"]) == ("asked", "draft")
    assert {name: row[name] for name in before} == before


@example(
    described=[Span("o2", "t", name="p"), Span("o2", "t", name="q"), ("span-create", 0, {"id": "o2", "traceId": "t"})],
    flushed=1,
    portions=[],
    max_contributions=0,
)
@given(
    described=st.lists(st.one_of(EVENTS.map(lambda found: found[0]), SPANS), min_size=1, max_size=8),
    flushed=st.integers(1, 8),
    portions=st.lists(st.tuples(st.integers(0, 7), st.integers(1, 8)), max_size=3),
    max_contributions=st.sampled_from([0, 1_000]),
)
@settings(max_examples=25, deadline=None)
def test_a_replay_of_parts_amid_events_leaves_what_today_s_mapping_gives_alone(
    described: list[Described], flushed: int, portions: list[tuple[int, int]], max_contributions: int
) -> None:
    today = [_segment(number, _today(one)) for number, one in enumerate(described, 1)]
    expected = StoredRows()
    for each in today:
        Owner(expected).flush(each)

    stored = StoredRows()
    owner = Owner(stored, max_contributions=max_contributions)
    for number, one in enumerate(described[:flushed], 1):
        owner.flush(_segment(number, one))
    past, waiting = today[:flushed], today[flushed:]
    for first, count in portions:
        if past[first : first + count]:
            owner.remap(remapped_of(*past[first : first + count]))
        if waiting:
            owner.flush(waiting.pop(0))
    for each in waiting:
        owner.flush(each)
    owner.remap(remapped_of(*past))

    for table in ("observations", "traces"):
        assert stored.logical(table) == expected.logical(table)


def _of(number: int, *found: Event) -> Segment:
    return Segment(LogPosition(1, number), mapping.map_events(found, CONTEXT))


def _segment(number: int, one: Described) -> Segment:
    if isinstance(one, Span):
        return Segment(LogPosition(1, number), batch_of(one))
    kind, second, body = one
    return _of(number, event(number, kind, second, **body))


def _today(one: Described) -> Described:
    """Names get longer, outputs are heeded no more."""
    if isinstance(one, Span):
        return replace(one, name=f"{one.name} today")
    kind, second, body = one
    name = {"name": f"{body['name']} today"} if body.get("name") else {}
    return kind, second, {key: value for key, value in body.items() if key != "output"} | name

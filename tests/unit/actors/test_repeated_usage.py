"""A trace counts usage once that a wrapper reports again, whatever came first."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.generations import Generations
from actors.merge import Merge, Segment
from actors.seen_filter import SeenFilter
from actors.subject_cache import SubjectCache
from heliograph.domain.lanes import LogPosition
from tests.stored_rows import StoredRows
from tests.unit.actors.batches import Span, batch_of, compose


def traces_of(*batches: Sequence[Span]) -> list[dict[str, Any]]:
    """The trace rows once each batch was flushed and forgotten."""
    stored = StoredRows()
    for number, spans in enumerate(batches, 1):
        merge = Merge(stored, SubjectCache(0, SeenFilter(1 << 10)), Generations(), compose=compose)
        merge.learn_known_subjects()
        rows = merge.rows_of([Segment(LogPosition(1, number), batch_of(*spans))])
        for table in ("observations", "scores", "traces"):
            stored.insert(table, getattr(rows, table))
        merge.settle(rows)
    return stored.logical("traces", without=("placed_at", "created_at", "updated_at", "row_version"))


def span(id_: str, parent: str = "", type_: str = "AGENT", *, tokens: tuple[int, int] = (0, 0), cost: int = 0) -> Span:
    spent, made = tokens
    return Span(
        id_,
        parent_observation_id=parent,
        type=type_,
        input_tokens=spent,
        output_tokens=made,
        total_tokens=spent + made,
        total_cost=cost,
    )


def generation(id_: str, parent: str, tokens: tuple[int, int] = (20, 8), cost: int = 5) -> Span:
    return span(id_, parent, "GENERATION", tokens=tokens, cost=cost)


BELOW = (span("step", "agent", "CHAIN"), generation("a", "step"), generation("b", "agent"))
AGENT = (span("agent", tokens=(40, 16)), *BELOW)


def counted(trace: dict[str, Any]) -> tuple[int, int, int, int]:
    cost = int(trace["total_cost"].scaleb(12))
    return trace["input_tokens"], trace["output_tokens"], trace["total_tokens"], cost


def left_out(trace: dict[str, Any]) -> list[str]:
    said = dict(trace["metadata"]).get("usage_not_counted")
    return json.loads(said)["observations"] if said else []


def test_an_agent_that_sums_up_its_generations_is_not_counted_and_the_trace_says_so() -> None:
    (trace,) = traces_of(AGENT)
    assert counted(trace) == (40, 16, 56, 10)
    assert left_out(trace) == ["agent"]
    assert trace["observation_count"] == 4


def test_wrappers_of_wrappers_are_all_left_out() -> None:
    outer = [
        span("chain", type_="CHAIN", tokens=(40, 16), cost=10),
        span("agent", "chain", tokens=(40, 16)),
        *BELOW,
    ]
    (trace,) = traces_of(outer)
    assert counted(trace) == (40, 16, 56, 10)
    assert left_out(trace) == ["agent", "chain"]


@pytest.mark.parametrize(
    "own",
    [
        span("agent", tokens=(41, 16)),
        span("agent", tokens=(16, 40)),
        span("agent", type_="GENERATION", tokens=(40, 16)),
    ],
    ids=["other tokens", "other sides", "a generation"],
)
def test_what_is_no_repetition_is_counted(own: Span) -> None:
    (trace,) = traces_of([own, *BELOW])
    assert trace["total_tokens"] == 56 + own.total_tokens
    assert left_out(trace) == []


def test_usage_of_plain_spans_is_counted_at_every_level_where_no_model_was_called() -> None:
    (trace,) = traces_of([span("outer", type_="SPAN", tokens=(5, 5)), span("inner", "outer", "SPAN", tokens=(5, 5))])
    assert trace["total_tokens"] == 20


def test_a_cost_that_is_known_at_the_wrapper_alone_is_kept() -> None:
    unpriced = [generation("a", "agent", cost=0), generation("b", "agent", cost=0)]
    (trace,) = traces_of([span("agent", tokens=(40, 16), cost=7), *unpriced])
    assert counted(trace) == (40, 16, 56, 7)


def test_a_generation_that_comes_late_makes_a_wrapper_count_again() -> None:
    (trace,) = traces_of(AGENT, [generation("late", "step", tokens=(1, 1), cost=1)])
    assert counted(trace) == (81, 33, 114, 11)
    assert left_out(trace) == []


def test_circles_of_parents_are_counted_and_stop_nothing() -> None:
    circle = [span("x", "y", tokens=(20, 8)), span("y", "x", tokens=(20, 8)), generation("a", "x"), span("z", "z")]
    (trace,) = traces_of(circle)
    assert trace["total_tokens"] == 3 * 28
    assert left_out(trace) == []


def test_a_very_deep_trace_is_rolled_up() -> None:
    chain = [span(f"s{depth}", f"s{depth - 1}" if depth else "", tokens=(20, 8)) for depth in range(1_000)]
    (trace,) = traces_of([*chain, generation("g", "s999")])
    assert trace["total_tokens"] == 28
    explained = json.loads(dict(trace["metadata"])["usage_not_counted"])
    assert (explained["count"], len(explained["observations"])) == (1_000, 20)


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
TOKENS = st.sampled_from([(0, 0), (1, 1), (2, 2), (3, 3)])
KINDS = st.sampled_from(["AGENT", "CHAIN", "GENERATION", "EMBEDDING"])
SPANS = st.builds(
    lambda id_, parent, type_, tokens, cost: span(id_, parent, type_, tokens=tokens, cost=cost),
    *(NAMES, st.one_of(st.just(""), NAMES), KINDS, TOKENS, st.integers(0, 2)),
)
FORESTS = st.lists(SPANS, min_size=1, max_size=9, unique_by=lambda one: one.id)


@given(forest=FORESTS, data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_order_split_and_repetition_gives_the_same_totals(forest: list[Span], data: st.DataObject) -> None:
    whole = traces_of(forest)
    shuffled = data.draw(st.permutations([*forest, *data.draw(st.lists(st.sampled_from(forest), max_size=3))]))
    cuts = data.draw(st.sets(st.integers(1, len(shuffled) - 1), max_size=3)) if len(shuffled) > 1 else set()
    bounds = [0, *sorted(cuts), len(shuffled)]
    assert traces_of(*(shuffled[start:end] for start, end in pairwise(bounds))) == whole

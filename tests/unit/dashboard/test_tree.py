from datetime import timedelta
from typing import Any

from dashboard.components.tree import EMPTY, tree_of
from tests import factories


def _rows(*parents: tuple[str, str], **values: Any) -> list[dict[str, Any]]:
    records = [
        factories.observation(
            "p",
            "t",
            id_,
            parent_observation_id=parent,
            start_time=factories.NOON + timedelta(milliseconds=place),
            **values,
        )
        for place, (id_, parent) in enumerate(parents)
    ]
    columns = tree_of(factories.table("observations", records)).columns
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_children_follow_their_parent_one_level_deeper() -> None:
    rows = _rows(("a", ""), ("b", "a"), ("c", ""), ("d", "b"))
    assert [(row["id"], row["depth"], row["children"]) for row in rows] == [
        ("a", 0, 1),
        ("b", 1, 1),
        ("d", 2, 0),
        ("c", 0, 0),
    ]


def test_no_observation_is_lost_to_a_missing_parent_or_a_circle() -> None:
    rows = _rows(("a", "missing"), ("b", "c"), ("c", "b"), ("d", "d"))
    assert sorted(row["id"] for row in rows) == ["a", "b", "c", "d"]


def test_a_deep_chain_is_no_deep_recursion() -> None:
    chain = [(f"{place}", f"{place - 1}" if place else "") for place in range(5000)]
    assert _rows(*chain)[-1]["depth"] == 4999


def test_bars_lie_within_the_trace() -> None:
    rows = _rows(("a", ""), ("b", "a"))
    assert all(0 <= row["left"] <= 1 and row["left"] + row["width"] <= 1.0001 for row in rows)


def test_an_empty_trace_has_no_rows() -> None:
    assert tree_of(factories.table("observations", [])) == EMPTY


def test_a_large_trace_goes_to_the_browser_as_a_compact_text() -> None:
    records = [factories.observation("p", "t", f"{place:016x}", name=f"step {place % 40}") for place in range(3000)]
    assert len(tree_of(factories.table("observations", records)).text) < 3000 * 110

"""Conditions as scripts write them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from heliograph import col
from heliograph.cli.data import condition
from heliograph.client.asked import Asked, moment
from heliograph.client.columns import Where
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.selections import SelectedTable

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def dumped(where: Where) -> dict[str, Any]:
    return where.expression.model_dump(mode="json")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (col.model == "gpt-4o", {"type": "string", "column": "model", "operator": "=", "value": "gpt-4o"}),
        (col.cost > 0.01, {"type": "number", "column": "totalCost", "operator": ">", "value": 0.01}),
        (col.total_tokens <= 5, {"type": "number", "column": "totalTokens", "operator": "<=", "value": 5.0}),
        (col.public == True, {"type": "boolean", "column": "public", "operator": "=", "value": True}),  # noqa: E712
        (
            col.start_time >= datetime(2026, 1, 1),  # noqa: DTZ001 - without a zone
            {"type": "datetime", "column": "startTime", "operator": ">=", "value": "2026-01-01T00:00:00Z"},
        ),
        (
            col.metadata["customer"] == "acme",
            {"type": "stringObject", "column": "metadata", "key": "customer", "operator": "=", "value": "acme"},
        ),
        (
            col.scores["quality"] < 0.5,
            {"type": "numberObject", "column": "scores_avg", "key": "quality", "operator": "<", "value": 0.5},
        ),
        (col.tags.is_in(["a"]), {"type": "stringOptions", "column": "tags", "operator": "any of", "value": ["a"]}),
        (col.session_id.is_null(), {"type": "null", "column": "sessionId", "operator": "is null"}),
        (col["input"].matches("x"), {"type": "string", "column": "input", "operator": "matches", "value": "x"}),
    ],
)
def test_a_comparison_is_a_condition_of_the_filter_language(where: Where, expected: dict[str, Any]) -> None:
    assert dumped(where) == expected


def test_conditions_join_by_and_or_and_not() -> None:
    a, b, c = (col[name] == "x" for name in "abc")
    joined = dumped((a & b & c) | ~a)
    assert [group["type"] for group in (joined, *joined["conditions"])] == ["or", "and", "not"]
    assert len(joined["conditions"][0]["conditions"]) == 3
    assert dumped(col.level != "ERROR")["type"] == "not"


def test_what_python_would_ask_too_early_is_refused() -> None:
    with pytest.raises(TypeError, match="parentheses"):
        bool(col.a == "x")
    with pytest.raises(InvalidRequest, match="list"):
        _ = col.model == ["a"]
    with pytest.raises(InvalidRequest):
        _ = col.model > "a"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("30d", NOW - timedelta(days=30)),
        ("12h", NOW - timedelta(hours=12)),
        (timedelta(minutes=5), NOW - timedelta(minutes=5)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        (datetime(2026, 1, 31), datetime(2026, 1, 31, tzinfo=UTC)),  # noqa: DTZ001 - without a zone
        (None, None),
    ],
)
def test_times_are_read_as_people_write_them(written: Any, expected: datetime | None) -> None:
    assert moment(written, "since", NOW) == expected


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="30d"):
        moment("yesterday", "since", NOW)


def test_narrowing_a_selection_leaves_the_one_before_as_it_was() -> None:
    first = Asked.of(SelectedTable.OBSERVATIONS, since=None, until=None, where=col.a == "x", select=None)
    narrowed = first.where(col.b == "y").select(["id"]).limit(5).limit(9)
    assert len(narrowed.body()["where"]["conditions"]) == 2
    assert (narrowed.selection.select, narrowed.selection.limit) == (("id",), 5)
    assert (first.body()["where"]["column"], first.selection.select, first.selection.limit) == ("a", None, None)
    with pytest.raises(InvalidRequest, match="list of names"):
        first.select("id")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("cost > 0.01", col.cost > 0.01),
        ("model=gpt-4o", col.model == "gpt-4o"),
        ("name = '3'", col.name == "3"),
        ("level != ERROR", col.level != "ERROR"),
        ("metadata[customer] = acme inc", col.metadata["customer"] == "acme inc"),
        ("input ~ hello", col.input.contains("hello")),
    ],
)
def test_the_command_line_reads_the_same_conditions(text: str, same: Where) -> None:
    assert dumped(condition(text)) == dumped(same)


def test_the_command_line_says_how_a_condition_is_written() -> None:
    with pytest.raises(InvalidRequest, match="write a column"):
        condition("cost")

"""Calls of tools against the expected ones."""

import json

import pytest

from evals import tools


def calls(*given: tuple[str, dict[str, object]]) -> list[dict[str, object]]:
    return [{"function": {"name": name, "arguments": json.dumps(arguments)}} for name, arguments in given]


SAID = calls(("find", {"city": "Paris", "days": 2}), ("book", {"id": 7}))


def test_names_match_in_their_order_unless_that_is_waived() -> None:
    assert tools.tool_names_match()(SAID, ["find", "book"]).value is True
    assert tools.tool_names_match()(SAID, ["book", "find"]).value is False
    assert tools.tool_names_match(in_order=False)(SAID, ["book", "find"]).value is True


def test_f1_counts_each_call() -> None:
    verdict = tools.tool_call_f1()(SAID, ["find", "find", "book"])
    assert (verdict.value, verdict.reason) == (0.8, "in excess none, missing find")
    assert tools.tool_call_f1()([], []).value == 1


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        (calls(("find", {"city": "Paris", "days": 2})), 1),
        (calls(("find", {"city": "Paris", "days": 3})), 0.5),
        (calls(("find", {"city": "Paris"}), ("cancel", {"id": 7, "why": "rain"})), pytest.approx(1 / 3)),
        (calls(("book", {})), 1),
        ([], 1),
    ],
)
def test_arguments_match_by_value(expected: object, value: float) -> None:
    assert tools.tool_arguments_match()(SAID, expected).value == value


def test_tools_that_were_not_offered_are_made_up() -> None:
    offered = [{"type": "function", "function": {"name": "find"}}, {"name": "book", "input_schema": {}}]
    assert tools.tools_available()(SAID, offered).value is True
    verdict = tools.tools_available()(json.dumps(SAID), json.dumps(["find"]))
    assert (verdict.value, verdict.reason) == (False, "made up book")

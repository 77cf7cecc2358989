"""JSONPath into columns, and calls of tools in every provider's shape."""

import pytest

from heliograph.domain.evaluators import ToolCall
from heliograph.domain.tool_calls import tool_calls_of
from heliograph.variables import Source, selected

DOCUMENTS = '{"documents": [{"text": "a"}, {"text": "b"}], "n": 0}'


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.n", 0), ("$.documents[*].text", ["a", "b"]), ("$.documents[0].text", "a"), ("$.missing", None),
        ("$..missing", None), ("$.documents[?@.text == 'b'].text", ["b"]),
    ],
)  # fmt: skip
def test_a_path_selects_one_value_or_all_matches(path: str, value: object) -> None:
    assert selected(DOCUMENTS, path) == value


def test_a_path_goes_through_json_inside_of_metadata() -> None:
    assert Source("metadata", "$.retrieved.documents[1].text").read({"metadata": {"retrieved": DOCUMENTS}}) == "b"


def test_a_path_into_plain_text_finds_nothing() -> None:
    assert selected("no JSON", "$.a") is None
    assert selected(None, "$.a") is None


@pytest.mark.parametrize(
    "payload",
    [
        {"tool_calls": [{"id": "1", "type": "function", "function": {"name": "find", "arguments": '{"id": 7}'}}]},
        {"role": "assistant", "content": [{"type": "text"}, {"type": "tool_use", "name": "find", "input": {"id": 7}}]},
        {"choices": [{"message": {"tool_calls": [{"function": {"name": "find", "arguments": {"id": 7}}}]}}]},
        {"output": [{"type": "function_call", "call_id": "1", "name": "find", "arguments": '{"id": 7}'}]},
        '[{"name": "find", "args": {"id": 7}}]',
        [ToolCall("find", {"id": 7})],
    ],
)  # fmt: skip
def test_calls_are_found_in_every_shape(payload: object) -> None:
    assert tool_calls_of(payload) == [ToolCall("find", {"id": 7})]


@pytest.mark.parametrize("payload", [None, "", "Paris", "[1]", {"role": "user", "name": "Ann", "content": "hi"}])
def test_what_is_no_call_is_none(payload: object) -> None:
    assert tool_calls_of(payload) == []

"""Every emitter as it is installed today: what it sent when it was recorded, and what a user sees of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.emitters import recording, seen

NAMES = recording.recorded()
ORDER_NO_FAILURE = {"openai_agents"}
# LlamaIndex says of these, too, that they are a model's call: what is before, around or within one.
AROUND_CALLS = {"OpenAI._prepare_chat_with_tools", "OpenAI.predict", "OpenAIEmbedding._get_query_embedding"}


@pytest.mark.parametrize("name", NAMES)
def test_a_user_sees_what_was_reviewed(name: str) -> None:
    expected = json.loads(seen.expected_path(name).read_text("utf-8"))

    assert seen.traces(recording.load(name)) == expected


@pytest.mark.parametrize("name", NAMES)
def test_every_model_call_that_succeeds_has_a_model_input_output_usage_and_cost(name: str) -> None:
    calls = [one for one in calls_of(name, "GENERATION") if one.get("level") != "ERROR"]

    assert calls
    for call in calls:
        # LiteLLM calls an embedding a generation.
        answered = set() if "embedding" in call["model"] else {"output"}
        assert {"model", "input", "usage", "cost"} | answered <= call.keys(), call


@pytest.mark.parametrize("name", NAMES)
def test_every_embedding_has_a_model_usage_and_cost(name: str) -> None:
    # A span around the call repeats its model, not its usage.
    calls = [one for one in calls_of(name, "EMBEDDING") if "usage" in one or "observations" not in one]

    for call in calls:
        assert {"model", "usage", "cost"} <= call.keys(), call


@pytest.mark.parametrize("name", NAMES)
def test_cached_and_reasoning_tokens_are_told_apart_and_counted_once(name: str) -> None:
    chats = [one["usage"] for one in observations(name) if one.get("usage", {}).get("total") == 28]

    assert chats
    for usage in chats:
        parts = [units for key, units in usage.items() if key != "total"]
        assert sum(parts) == usage["total"], usage


@pytest.mark.parametrize("name", NAMES)
def test_a_trace_counts_the_tokens_of_each_call_once(name: str) -> None:
    expected = json.loads(seen.expected_path(name).read_text("utf-8"))

    for trace in expected:
        usages = [call.get("usage", {}) for call in _calls(trace["observations"])]
        assert trace["tokens"] == sum(usage.get("total", 0) for usage in usages), trace["name"]


@pytest.mark.parametrize("name", NAMES)
def test_a_failed_call_is_an_error_with_a_message(name: str) -> None:
    failed = [one for one in observations(name) if one.get("level") == "ERROR"]

    assert all("error" in one["status_message"].lower() for one in failed)
    assert failed or name in ORDER_NO_FAILURE


def calls_of(name: str, type_: str) -> list[dict[str, Any]]:
    return [one for one in observations(name) if one["type"] == type_ and one["name"] not in AROUND_CALLS]


def observations(name: str) -> list[dict[str, Any]]:
    expected = json.loads(seen.expected_path(name).read_text("utf-8"))
    return [one for trace in expected for one in _all(trace["observations"])]


def _all(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in found:
        yield one
        yield from _all(one.get("observations", []))


def _calls(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The calls that reached a model: an embedding around an embedding is one."""
    for one in found:
        is_call = one["type"] in {"GENERATION", "EMBEDDING"} and "usage" in one
        yield from [one] if is_call else _calls(one.get("observations", []))

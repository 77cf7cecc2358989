"""Contract 4.5: metadata of the observation and of its trace."""

import json
from typing import Any

import pytest

from tests.unit.ingestion.spans import row

SDK = "langfuse-sdk"
OTHER = "my.tracer"


def metadata(attributes: dict[str, Any], scope: str = SDK, **around: Any) -> dict[str, str]:
    found: dict[str, str] = row(attributes, around={"scope": (scope, "1"), **around})["metadata"]
    return found


def kept(attributes: dict[str, Any]) -> dict[str, str]:
    """The attributes that are kept of a span of another scope."""
    found: dict[str, str] = json.loads(metadata(attributes, OTHER).get("attributes", "{}"))
    return found


@pytest.mark.parametrize("scope", [SDK, "langfuse-sdk-extension"])
def test_of_the_langfuse_sdk_the_attributes_are_left_out(scope: str) -> None:
    assert "attributes" not in metadata({"x": "y"}, scope)


def test_of_other_scopes_the_attributes_are_kept_as_texts() -> None:
    assert kept({"x": 1, "y": "z", "list": ["a", 2], "object": {"a": [1]}, "bytes": b"\x00"}) == {
        "x": "1", "y": "z", "list": '["a",2]', "object": '{"a":[1]}', "bytes": "AA==",
    }  # fmt: skip


@pytest.mark.parametrize(
    "key",
    [
        "langfuse.observation.input", "genkit:output", "ai.prompt.messages", "ai.result.toolCalls", "flue.turn.input",
        "flue.workflow.result", "gcp.vertex.agent.llm_request", "gcp.vertex.agent.tool_response", "prompt",
        "all_messages_events", "lk.chat_ctx", "lk.response.text", "lk.user_input", "events", "mlflow.spanInputs",
        "traceloop.entity.output", "input.value", "output.value", "input", "output", "pydantic_ai.all_messages",
        "final_result", "gen_ai.prompt", "gen_ai.prompt.0.role", "gen_ai.completion.0.role",
        "llm.input_messages.0.message.role", "llm.output_messages.0.message.role", "gen_ai.input.messages",
        "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result", "langfuse.trace.metadata.a", "langfuse.observation.metadata.a",
        "ai.telemetry.metadata.a",
    ],
)  # fmt: skip
def test_what_has_its_place_elsewhere_is_not_repeated(key: str) -> None:
    assert kept({key: "x", "other": "y"}) == {"other": "y"}


@pytest.mark.parametrize("key", ["tool_arguments", "tool_response", "gen_ai.request.model", "input.mime_type"])
def test_what_is_kept_although_it_was_used(key: str) -> None:
    assert kept({key: "x"}) == {key: "x"}


def test_resource_and_scope() -> None:
    found = metadata({}, OTHER, resource={"service.name": "shop", "pid": 5})
    assert json.loads(found["resourceAttributes"]) == {"service.name": "shop", "pid": 5}
    assert json.loads(found["scope"]) == {"name": OTHER, "version": "1", "attributes": {}}


OBSERVATION, TRACE, SHARED = "langfuse.observation.metadata", "langfuse.trace.metadata", "langfuse.metadata"


@pytest.mark.parametrize("key", [OBSERVATION, TRACE, SHARED])
def test_an_object_of_metadata_is_spread_over_its_keys(key: str) -> None:
    found = metadata({key: '{"n": 5, "t": "x", "o": {"a": [1]}, "none": null}'})
    assert {name: found[name] for name in ("n", "t", "o", "none")} == {
        "n": "5", "t": "x", "o": '{"a":[1]}', "none": "null",
    }  # fmt: skip
    assert metadata({key: {"n": 5}})["n"] == "5"


@pytest.mark.parametrize("prefix", [OBSERVATION, TRACE, SHARED, "ai.telemetry.metadata"])
def test_single_keys_of_metadata_are_kept_as_received(prefix: str) -> None:
    assert metadata({f"{prefix}.a.b": '"quoted"'})["a.b"] == '"quoted"'


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({OBSERVATION: '{"a": "1"}', TRACE: "{}", SHARED: '{"a": "2"}'}, '"1"'),
        ({OBSERVATION: '{"a": "1"}', SHARED: '{"a": "2"}'}, '"2"'),
        ({OBSERVATION: "", SHARED: '{"a": "2"}'}, '"2"'),
        ({OBSERVATION: '{"a": "1"}', f"{OBSERVATION}.a": "3"}, "3"),
        ({f"{OBSERVATION}.a": "1", f"{SHARED}.a": "2"}, "2"),
        ({f"{OBSERVATION}.a": "1", f"{TRACE}.a": "2"}, "2"),
    ],
)
def test_the_later_source_wins(attributes: dict[str, Any], expected: str) -> None:
    assert metadata(attributes)["a"] == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({TRACE: '{"a": "x"}'}, {"a": "x"}),
        ({f"{TRACE}.tenant": '"acme"'}, {"tenant": '"acme"'}),
        ({f"{OBSERVATION}.a": "x"}, {}),
        ({f"{SHARED}.a": "x"}, {"a": "x"}),
        ({f"{TRACE}.a": "x", TRACE: "text"}, {"metadata": "text", "a": "x"}),
    ],
)
def test_metadata_of_the_trace(attributes: dict[str, Any], expected: dict[str, str]) -> None:
    assert row(attributes)["trace_metadata"] == expected


@pytest.mark.parametrize("name", ["userId", "sessionId", "tags", "langfusePrompt"])
def test_vercels_metadata_that_have_columns_are_left_out(name: str) -> None:
    assert name not in metadata({f"ai.telemetry.metadata.{name}": "x"})


@pytest.mark.parametrize("name", ["scope", "resourceAttributes", "attributes"])
def test_users_keys_win_over_ours(name: str) -> None:
    assert metadata({f"{OBSERVATION}.{name}": "mine", "x": "y"}, OTHER)[name] == "mine"


def test_metadata_that_are_no_object_are_kept_under_one_key() -> None:
    assert metadata({OBSERVATION: '"plain"'})["metadata"] == '"plain"'

"""The mapping, target by target, as the contract's section 4 says."""

from typing import Any

import pytest

from tests.unit.ingestion.spans import event, mapped, plain, row, rows, span, status

OTHER_SCOPE = {"scope": ("my.tracer", "1.0")}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, "SPAN"),
        ({"langfuse.observation.type": "generation"}, "GENERATION"),
        ({"langfuse.observation.type": "GENERATION"}, "SPAN"),
        ({"langfuse.observation.type": "nonsense", "openinference.span.kind": "LLM"}, "GENERATION"),
        ({"openinference.span.kind": "RETRIEVER"}, "RETRIEVER"),
        ({"gen_ai.operation.name": "chat"}, "GENERATION"),
        ({"gen_ai.operation.name": "embeddings"}, "EMBEDDING"),
        ({"gen_ai.operation.name": "invoke_agent"}, "AGENT"),
        ({"gen_ai.operation.name": "execute_tool"}, "TOOL"),
        ({"genkit:metadata:subtype": "tool.v2"}, "TOOL"),
        ({"ai.operationId": "ai.streamText.doStream", "ai.model.id": "m"}, "GENERATION"),
        ({"ai.operationId": "ai.streamText.doStream"}, "SPAN"),
        ({"ai.operationId": "ai.toolCall"}, "TOOL"),
        ({"gen_ai.tool.call.id": "c1"}, "TOOL"),
        ({"flue.task.id": "t"}, "AGENT"),
        ({"llm.model_name": "m"}, "GENERATION"),
        ({"traceloop.span.kind": "workflow"}, "CHAIN"),
        ({"langfuse.observation.type": ["list"]}, "SPAN"),
    ],
)
def test_type(attributes: dict[str, Any], expected: str) -> None:
    assert row(attributes)["type"] == expected


def test_type_of_generations_that_an_old_sdk_sent_as_spans() -> None:
    attributes = {"langfuse.observation.type": "span", "langfuse.observation.model.name": "m"}
    around = {"scope": ("langfuse-sdk", "3.2.1"), "resource": {"telemetry.sdk.language": "python"}}
    assert row(attributes, around=around)["type"] == "GENERATION"
    assert row(attributes, around=around | {"scope": ("langfuse-sdk", "3.4.0")})["type"] == "SPAN"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, "work"),
        ({"gen_ai.tool.name": "search", "logfire.msg": "other"}, "search"),
        ({"logfire.msg": "hello"}, "hello"),
        ({"ai.operationId": "ai.embed", "ai.telemetry.functionId": "f"}, "f:ai.embed"),
        ({"gen_ai.tool.name": ["a", 1]}, '["a",1]'),
    ],
)
def test_name(attributes: dict[str, Any], expected: str) -> None:
    assert row(attributes)["name"] == expected


@pytest.mark.parametrize(
    ("attributes", "code", "expected"),
    [
        ({}, 0, "DEFAULT"),
        ({}, 2, "ERROR"),
        ({"langfuse.observation.level": " warn "}, 2, "WARNING"),
        ({"langfuse.observation.level": "nonsense"}, 2, "ERROR"),
        ({"langfuse.observation.level": "TRACE"}, 0, "DEBUG"),
    ],
)
def test_level(attributes: dict[str, Any], code: int, expected: str) -> None:
    found = row(attributes, status=status(code, "it broke"))
    assert (found["level"], found["status_message"]) == (expected, "it broke")


def test_level_of_livekits_chatter_is_debug() -> None:
    assert row(name="tts_node", around={"scope": ("livekit-agents", "1")})["level"] == "DEBUG"


@pytest.mark.parametrize(
    ("attributes", "resource", "expected"),
    [
        ({}, {}, "default"),
        ({}, {"deployment.environment": "Staging"}, "staging"),
        ({"deployment.environment": "a"}, {"langfuse.environment": "b"}, "b"),
        ({"langfuse.environment": "a"}, {"langfuse.environment": "b"}, "a"),
        ({"langfuse.environment": "langfuse-langfuse_prod"}, {}, "prod"),
        ({"langfuse.environment": "x" * 50}, {}, "x" * 40),
        ({"langfuse.environment": "not valid!"}, {}, "default"),
    ],
)
def test_environment(attributes: dict[str, Any], resource: dict[str, Any], expected: str) -> None:
    assert row(attributes, around={"resource": resource})["environment"] == expected


def test_release_version_service_and_scope() -> None:
    resource = {"langfuse.release": "r1", "service.version": "s2", "service.name": "shop"}
    found = row({"langfuse.version": "v1"}, around={"resource": resource})
    names = ("release", "version", "service_name", "service_version", "scope_name", "scope_version")
    assert tuple(found[name] for name in names) == ("r1", "v1", "shop", "s2", "langfuse-sdk", "5.0.4")
    assert row(around={"resource": resource})["version"] == "s2"


def test_trace_attributes() -> None:
    found = row(
        {
            "langfuse.trace.name": "support", "langfuse.user.id": "", "user.id": "u", "gen_ai.conversation.id": "s",
            "langfuse.trace.public": True, "langfuse.trace.metadata.tenant": '"acme"',
            "langfuse.internal.is_app_root": True,
        }
    )  # fmt: skip
    assert (found["trace_name"], found["user_id"], found["session_id"]) == ("support", "u", "s")
    assert (found["public"], found["is_app_root"]) == (True, True)
    assert found["trace_metadata"] == {"tenant": '"acme"'}
    assert row()["public"] is None


def test_ids_among_the_metadata_lose_the_quotes_of_the_newer_sdk() -> None:
    assert row({"langfuse.observation.metadata.langfuse_user_id": '"u"'})["user_id"] == "u"
    assert row({"langfuse.observation.metadata.langfuse_user_id": "u"})["user_id"] == "u"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [(["a", "b"], ["a", "b"]), ('["a", 1]', ["a", "1"]), ("a, b", ["a", "b"]), ("a", ["a"]), ([1, None], ["1"])],
)
def test_tags(tags: object, expected: list[str]) -> None:
    assert row({"langfuse.trace.tags": tags})["tags"] == expected


def test_trace_input_and_output_are_parts_of_the_trace() -> None:
    parts = plain_parts({"langfuse.trace.input": "question", "langfuse.trace.output": "answer"})
    assert [(part["field"], part["value"], part["record"]) for part in parts] == [
        ("input", "question", 1),
        ("output", "answer", 1),
    ]
    assert parts[0]["stamped_at"] == row()["start_time"]


def plain_parts(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return plain(mapped(span(), span(attributes)).batch.trace_parts)


def test_metadata_of_the_langfuse_sdk_has_no_copy_of_the_attributes() -> None:
    found = row(
        {
            "langfuse.observation.metadata.tier": '"gold"',
            "langfuse.observation.metadata": '{"n": 5, "t": "5"}',
            "x": "y",
        }
    )["metadata"]
    assert found["tier"] == '"gold"'
    assert (found["n"], found["t"]) == ("5", '"5"')
    assert "attributes" not in found
    assert '"name":"langfuse-sdk"' in found["scope"]


def test_metadata_of_other_scopes_keeps_all_attributes_but_input_and_output() -> None:
    found = row({"x": 1, "input.value": "in", "gen_ai.prompt.0.role": "user"}, around=OTHER_SCOPE)["metadata"]
    assert found["attributes"] == '{"x":"1"}'


def test_metadata_of_users_wins_over_ours() -> None:
    found = row({"langfuse.observation.metadata.scope": "mine", "langfuse.trace.metadata.a": "b"})["metadata"]
    assert (found["scope"], found["a"]) == ("mine", "b")


def test_metadata_that_is_no_object_is_kept_under_one_key() -> None:
    assert row({"langfuse.observation.metadata": '"plain"'})["metadata"]["metadata"] == '"plain"'


def test_prompt_only_of_generations() -> None:
    attributes = {"langfuse.observation.prompt.name": "p", "langfuse.observation.prompt.version": 3}
    generation = row(attributes | {"langfuse.observation.type": "generation"})
    assert (generation["prompt_name"], generation["prompt_version"]) == ("p", 3)
    assert row(attributes)["prompt_name"] == ""
    odd = row(attributes | {"langfuse.observation.type": "generation", "langfuse.observation.prompt.version": "x"})
    assert (odd["prompt_name"], odd["prompt_version"]) == ("p", None)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"langfuse.observation.completion_start_time": '"2026-11-24T08:52:51.674789Z"'}, 674_789),
        ({"langfuse.observation.completion_start_time": "2026-11-24T08:52:51.5"}, 500_000),
        ({"ai.response.msToFirstChunk": 99.5}, 774_231),
    ],
)
def test_completion_start_time(attributes: dict[str, Any], expected: int) -> None:
    assert row(attributes)["completion_start_time"].microsecond == expected
    assert row({"langfuse.observation.completion_start_time": "soon"})["completion_start_time"] is None


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (
            {"langfuse.observation.model.parameters": '{"temperature": 0.2}', "gen_ai.request.top_p": 1},
            '{"temperature": 0.2}',
        ),
        ({"llm.invocation_parameters": '{"a":1}'}, '{"a":1}'),
        ({"gen_ai.request.model": "m", "gen_ai.request.temperature": 0.5}, '{"temperature":0.5}'),
        ({}, ""),
    ],
)
def test_model_parameters(attributes: dict[str, Any], expected: str) -> None:
    assert row(attributes)["model_parameters"] == expected


def test_spans_of_different_shapes_keep_their_places() -> None:
    found = rows(span({"user.id": "a"}), span({"session.id": "s"}), span({"user.id": "b"}), span())
    assert [each["user_id"] for each in found] == ["a", "", "b", ""]
    assert [each["session_id"] for each in found] == ["", "s", "", ""]


def test_of_a_repeated_key_the_last_value_counts() -> None:
    repeated = span({"user.id": "first"})
    repeated.attributes.extend(span({"user.id": "last"}).attributes)
    assert rows(repeated)[0]["user_id"] == "last"


def test_events_of_the_conventions_become_input_and_output() -> None:
    found = row(
        events=[
            event("gen_ai.user.message", {"content": "hi"}),
            event("gen_ai.choice", {"index": 0, "message": {"content": "hello"}}),
            event("exception", {"exception.type": "E"}),
        ]
    )
    assert found["input"] == '[{"role":"user","content":"hi"}]'
    assert found["output"] == '{"index":0,"message":{"content":"hello"}}'

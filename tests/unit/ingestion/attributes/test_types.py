"""Contract 4.3: the type of an observation, in the order of the priorities."""

from typing import Any

import pytest

from tests.unit.ingestion.spans import row

TYPE = "langfuse.observation.type"
OLD_SDK = {"scope": ("langfuse-sdk", "3.3.9"), "resource": {"telemetry.sdk.language": "python"}}
LANGFUSE = (
    "span", "generation", "event", "embedding", "agent", "tool", "chain", "retriever", "guardrail", "evaluator",
)  # fmt: skip
OPENINFERENCE = {
    "CHAIN": "CHAIN", "RETRIEVER": "RETRIEVER", "LLM": "GENERATION", "EMBEDDING": "EMBEDDING", "AGENT": "AGENT",
    "TOOL": "TOOL", "GUARDRAIL": "GUARDRAIL", "EVALUATOR": "EVALUATOR",
}  # fmt: skip
OPERATIONS = {
    "chat": "GENERATION", "completion": "GENERATION", "text_completion": "GENERATION",
    "generate_content": "GENERATION", "generate": "GENERATION", "embeddings": "EMBEDDING", "invoke_agent": "AGENT",
    "create_agent": "AGENT", "execute_tool": "TOOL",
}  # fmt: skip
GENKIT = {
    "model": "GENERATION", "background-model": "GENERATION", "embedder": "EMBEDDING", "tool": "TOOL",
    "tool.v2": "TOOL", "retriever": "RETRIEVER", "evaluator": "EVALUATOR",
}  # fmt: skip
VERCEL = {
    "ai.generateText.doGenerate": "GENERATION", "ai.generateObject.doGenerate": "GENERATION",
    "ai.streamText.doStream": "GENERATION", "ai.streamObject.doStream": "GENERATION",
    "ai.embed.doEmbed": "EMBEDDING", "ai.embedMany.doEmbed": "EMBEDDING",
}  # fmt: skip
TRACELOOP = {"workflow": "CHAIN", "task": "CHAIN", "agent": "AGENT", "tool": "TOOL"}


def cases(key: str, names: dict[str, str]) -> list[Any]:
    return [pytest.param({key: name}, expected, id=f"{key}={name}") for name, expected in names.items()]


@pytest.mark.parametrize(
    "key",
    [
        f"langfuse.observation.{name}"
        for name in (
            "model.name", "cost_details", "usage_details", "completion_start_time", "model.parameters",
            "prompt.name", "prompt.version",
        )
    ],
)  # fmt: skip
def test_generations_that_an_old_sdk_sent_as_spans(key: str) -> None:
    attributes = {TYPE: "span", key: "x"}
    assert row(attributes, around=OLD_SDK)["type"] == "GENERATION"
    for other in (
        {"scope": ("langfuse-sdk", "3.4.0")},
        {"scope": ("langfuse-sdk-x", "3.3.9")},
        {"resource": {"telemetry.sdk.language": "nodejs"}},
    ):
        assert row(attributes, around=OLD_SDK | other)["type"] == "SPAN"
    assert row({TYPE: "span"}, around=OLD_SDK)["type"] == "SPAN"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        *cases(TYPE, {name: name.upper() for name in LANGFUSE}),
        *cases("openinference.span.kind", OPENINFERENCE),
        *cases("gen_ai.operation.name", OPERATIONS),
        *cases("genkit:metadata:subtype", GENKIT),
        *cases("ai.operationId", {"ai.toolCall": "TOOL", "ai.generateText": "SPAN"}),
        *cases("gen_ai.tool.name", {"search": "TOOL"}),
        *cases("gen_ai.tool.call.id", {"c1": "TOOL"}),
        *cases("flue.tool.name", {"search": "TOOL"}),
        *cases("flue.tool.call_id", {"c1": "TOOL"}),
        *cases("flue.task.id", {"t": "AGENT"}),
        *cases("flue.task.agent", {"a": "AGENT"}),
        *cases("langfuse.observation.model.name", {"m": "GENERATION"}),
        *cases("gen_ai.request.model", {"m": "GENERATION"}),
        *cases("gen_ai.response.model", {"m": "GENERATION"}),
        *cases("llm.model_name", {"m": "GENERATION"}),
        *cases("model", {"m": "GENERATION"}),
        *cases("traceloop.span.kind", TRACELOOP),
        ({}, "SPAN"),
        ({TYPE: "GENERATION"}, "SPAN"),
        ({TYPE: ["list"]}, "SPAN"),
    ],
)
def test_type(attributes: dict[str, Any], expected: str) -> None:
    assert row(attributes)["type"] == expected


@pytest.mark.parametrize(("operation", "expected"), VERCEL.items())
def test_vercels_model_calls_need_a_model(operation: str, expected: str) -> None:
    for model in ("langfuse.observation.model.name", "ai.model.id", "gen_ai.request.model", "gen_ai.response.model"):
        assert row({"ai.operationId": operation, model: "m"})["type"] == expected
        assert row({"operation.name": f"{operation} my-function", model: "m"})["type"] == expected
    assert row({"ai.operationId": operation})["type"] == "SPAN"


@pytest.mark.parametrize(
    ("name", "expected"), [("agent_turn", "AGENT"), ("start_agent_activity", "AGENT"), ("function_tool", "TOOL")]
)
def test_livekit_types_by_the_spans_name(name: str, expected: str) -> None:
    assert row(name=name, around={"scope": ("livekit-agents", "1")})["type"] == expected
    assert row(name=name)["type"] == "SPAN"


@pytest.mark.parametrize(
    ("winner", "expected", "loser"),
    [
        ({TYPE: "chain"}, "CHAIN", {"openinference.span.kind": "LLM"}),
        ({"openinference.span.kind": "TOOL"}, "TOOL", {"gen_ai.operation.name": "chat"}),
        ({"gen_ai.operation.name": "chat"}, "GENERATION", {"genkit:metadata:subtype": "tool"}),
        ({"genkit:metadata:subtype": "tool"}, "TOOL", {"ai.operationId": "ai.embed.doEmbed", "ai.model.id": "m"}),
        ({"ai.operationId": "ai.embed.doEmbed", "ai.model.id": "m"}, "EMBEDDING", {"gen_ai.tool.name": "t"}),
        ({"gen_ai.tool.name": "t"}, "TOOL", {"flue.task.id": "t"}),
        ({"flue.task.id": "t"}, "AGENT", {"model": "m"}),
        ({"model": "m"}, "GENERATION", {"traceloop.span.kind": "workflow"}),
        # A rule that matches but knows no such name gives way to the next.
        ({"openinference.span.kind": "LLM"}, "GENERATION", {TYPE: "nonsense"}),
        ({"gen_ai.operation.name": "chat"}, "GENERATION", {"openinference.span.kind": "UNKNOWN"}),
        ({"model": "m"}, "GENERATION", {"ai.operationId": "ai.generateText"}),
    ],
)
def test_an_earlier_rule_wins(winner: dict[str, Any], expected: str, loser: dict[str, Any]) -> None:
    assert row(loser | winner)["type"] == expected

"""Spans as OpenInference and the GenAI conventions describe them."""

import json

from tests.unit.ingestion.spans import row


def test_an_openinference_generation() -> None:
    found = row(
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "gpt-4o",
            "llm.invocation_parameters": '{"temperature": 0}',
            "input.value": '{"messages": [{"role": "user", "content": "hi"}]}',
            "input.mime_type": "application/json",
            "output.value": "hello",
            "llm.input_messages.0.message.role": "user",
            "llm.token_count.prompt": 9,
            "llm.token_count.completion": 3,
            "llm.token_count.total": 12,
            "session.id": "s",
            "user.id": "u",
        },
        around={"scope": ("openinference.instrumentation.openai", "0.1")},
    )
    assert (found["type"], found["provided_model_name"], found["model_id"]) == (
        "GENERATION", "gpt-4o", "heliograph-gpt-4o",
    )  # fmt: skip
    assert found["usage_details"] == {"input": 9, "output": 3, "total": 12}
    assert (found["input_preview"], found["output"]) == ("hi", "hello")
    assert (found["session_id"], found["user_id"], found["model_parameters"]) == ("s", "u", '{"temperature": 0}')
    kept = json.loads(found["metadata"]["attributes"])
    assert "input.value" not in kept
    assert kept["input.mime_type"] == "application/json"


def test_a_gen_ai_generation() -> None:
    found = row(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.response.model": "claude-sonnet-4-5-20250929",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.conversation.id": "c1",
            "gen_ai.usage.input_tokens": 20,
            "gen_ai.usage.output_tokens": 4,
            "gen_ai.usage.cache_read_input_tokens": 5,
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"hello"}]}]',
        },
        around={"scope": ("opentelemetry.instrumentation.anthropic", "1")},
    )
    assert (found["type"], found["provided_model_name"]) == ("GENERATION", "claude-sonnet-4-5-20250929")
    assert found["usage_details"] == {"input": 15, "output": 4, "input_cached_tokens": 5, "total": 24}
    assert (found["input_preview"], found["output_preview"], found["session_id"]) == ("hi", "hello", "c1")
    # 15 × 3 + 4 × 15 + 5 × 0.3 dollars per million.
    assert str(found["total_cost"]) == "0.000106500000"


def test_an_agent_does_not_count_its_model_calls_again() -> None:
    found = row({"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.cost": 1.0})
    assert (found["type"], found["provided_model_name"], found["total_cost"]) == ("AGENT", "", 0)

"""Input, output and their previews, from every convention."""

import json
from typing import Any

import pytest

from ingestion.previews import preview
from tests.unit.ingestion.spans import row

MESSAGES = '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]'


@pytest.mark.parametrize(
    ("attributes", "scope", "expected"),
    [
        ({"langfuse.observation.input": "a", "input.value": "b"}, "x", ("a", "")),
        ({"input.value": "a", "output.value": "b", "gen_ai.input.messages": "c"}, "x", ("a", "b")),
        ({"traceloop.entity.input": "a", "traceloop.entity.output": "b"}, "x", ("a", "b")),
        ({"mlflow.spanInputs": "a", "mlflow.spanOutputs": "b"}, "x", ("a", "b")),
        ({"lk.chat_ctx": "a", "lk.response.text": "b"}, "x", ("a", "b")),
        ({"gcp.vertex.agent.llm_request": "{}", "gcp.vertex.agent.tool_call_args": "a"}, "x", ("a", "")),
        ({"genkit:input": '{"messages":[1]}', "genkit:output": '{"message":2}'}, "genkit-tracer", ("[1]", "2")),
        ({"ai.prompt": "a", "ai.response.text": "b"}, "ai", ("a", "b")),
        ({"pydantic_ai.all_messages": "a", "final_result": "b"}, "pydantic-ai", ("a", "b")),
        ({"gen_ai.input.messages": MESSAGES, "gen_ai.output.messages": "b"}, "x", (MESSAGES, "b")),
        ({"gen_ai.tool.call.arguments": "a", "gen_ai.tool.call.result": "b"}, "x", ("a", "b")),
        ({"input": {"deep": [1, True]}}, "x", ('{"deep":[1,true]}', "")),
        ({"flue.turn.input": "a", "flue.tool.result": "b"}, "@flue/opentelemetry", ("a", "b")),
        ({"flue.turn.input": "a"}, "x", ("", "")),
    ],
)
def test_the_first_convention_with_a_value_wins(
    attributes: dict[str, Any], scope: str, expected: tuple[str, str]
) -> None:
    found = row(attributes, around={"scope": (scope, "1")})
    assert (found["input"], found["output"]) == expected


def test_flattened_messages_are_put_together_again() -> None:
    found = row(
        {
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "hi",
            "llm.input_messages.1.message.role": "assistant",
            "llm.output_messages.0.message.content": "hello",
            "llm.output_messages.0.__proto__.x": "evil",
        }
    )
    assert json.loads(found["input"]) == [
        {"message": {"role": "user", "content": "hi"}},
        {"message": {"role": "assistant"}},
    ]
    assert json.loads(found["output"]) == [{"message": {"content": "hello"}}]


def test_system_instructions_come_first() -> None:
    found = row(
        {"gen_ai.input.messages": MESSAGES, "gen_ai.system_instructions": '[{"content":"be"},{"content":"kind"}]'}
    )
    assert json.loads(found["input"])[0] == {"role": "system", "content": "be\nkind"}


def test_text_and_tool_calls_of_vercel_become_one_message() -> None:
    found = row({"ai.response.text": "t", "ai.response.toolCalls": "[1]"}, around={"scope": ("ai", "")})
    assert json.loads(found["output"]) == {"role": "assistant", "content": "t", "tool_calls": [1]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("x" * 300, "x" * 200),
        ('[{"role":"system","content":"a"},{"role":"user","content":"b"}]', "b"),
        (MESSAGES, "hi"),
        ('{"messages":[{"role":"user","content":[{"type":"text","text":"deep"}]}], "content": ""}', "deep"),
        ('"quoted \\"text\\""', 'quoted "text"'),
        ('{"a": 1}', '{"a": 1}'),
        ('{"content": broken', '{"content": broken'),
        ("", ""),
    ],
)
def test_preview_is_what_a_person_would_read(text: str, expected: str) -> None:
    assert preview(text) == expected

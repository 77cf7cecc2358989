"""Tokens of calls that reported none; the expected counts are those of OpenAI's cookbook."""

import json
from typing import Any

import pytest

from heliograph.domain.models import Model, TokenizerConfig
from ingestion import tokens
from tests.unit.ingestion.spans import row

MESSAGES = [
    {"role": "system", "content": "You are a helpful, pattern-following assistant that translates corporate jargon into"
                                  " plain English."},
    {"role": "system", "name": "example_user", "content": "New synergies will help drive top-line growth."},
    {"role": "system", "name": "example_assistant", "content": "Things working well together will increase revenue."},
    {"role": "system", "name": "example_user", "content": "Let's circle back when we have more bandwidth to touch base"
                                                          " on opportunities for increased leverage."},
    {"role": "system", "name": "example_assistant", "content": "Let's talk later when we're less busy about how to do"
                                                               " better."},
    {"role": "user", "content": "This late pivot means we don't have time to boil the ocean for the client"
                                " deliverable."},
]  # fmt: skip
CALL = {
    "langfuse.observation.type": "generation",
    "langfuse.observation.model.name": "gpt-4o",
    "langfuse.observation.input": json.dumps(MESSAGES),
    "langfuse.observation.output": "tiktoken is great!",
}


def model(encoding: str, tokenizer_id: str = "openai") -> Model:
    return Model("m", "m", "^m$", tokenizer_id=tokenizer_id, tokenizer=TokenizerConfig(encoding, 3, 1))


def counted(text: str, encoding: str = "o200k_base") -> int | None:
    return tokens.count(model(encoding), "", text).get("output")


@pytest.mark.parametrize(
    ("text", "cl100k", "o200k"),
    [
        ("antidisestablishmentarianism", 6, 6),
        ("2 + 2 = 4", 7, 7),
        ("お誕生日おめでとう", 9, 8),
        ("tiktoken is great!", 6, 6),
    ],
)
def test_text(text: str, cl100k: int, o200k: int) -> None:
    assert counted(text, "cl100k_base") == cl100k
    assert counted(text, "o200k_base") == o200k
    assert counted(text, "gpt-4-0613") == cl100k
    assert counted(text, "gpt-4o-mini") == o200k
    assert counted(text, "unheard of") == cl100k


def test_messages() -> None:
    said = json.dumps(MESSAGES)
    assert tokens.count(model("gpt-4-0613"), said, "") == {"input": 129}
    assert tokens.count(model("gpt-4o"), said, "") == {"input": 124}
    assert tokens.count(model("gpt-4o"), json.dumps({"messages": MESSAGES, "stream": True}), "") == {"input": 124}
    parts = [{**message, "content": [{"type": "text", "text": message["content"]}]} for message in MESSAGES]
    assert tokens.count(model("gpt-4o"), json.dumps(parts), "") == {"input": 124}


def test_an_answer_is_its_text() -> None:
    for answer in ({"role": "assistant", "content": "2 + 2 = 4"}, [{"role": "assistant", "content": "2 + 2 = 4"}]):
        assert counted(json.dumps(answer)) == 7


def test_what_cannot_be_known_is_not_counted() -> None:
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}]
    assert tokens.count(model("gpt-4o"), json.dumps(image), "2 + 2 = 4") == {"output": 7}
    assert tokens.count(model("gpt-4o", "claude"), "2 + 2 = 4", "") == {}
    assert tokens.count(model("gpt-4o", ""), "2 + 2 = 4", "") == {}
    assert counted("word " * (tokens.MAX_CHARACTERS // 5 + 1)) is None


@pytest.mark.parametrize("text", [" ", "\n", "!", "\t \n", "'s", "a", "\ud800", "\x00", "\u0300"])
def test_no_text_can_stop_it(text: str) -> None:
    assert counted(text * (tokens.MAX_CHARACTERS // len(text)))


def test_long_texts_count_as_if_they_were_not_cut() -> None:
    sentence = "The parcel, they say, wasn't delivered 2 or 3 days ago (see page 12).\n"
    assert counted(sentence * 1500) == 1500 * (counted(sentence) or 0)


def test_a_call_that_reported_nothing_is_counted_and_priced() -> None:
    found = row(CALL)
    assert found["usage_details"] == {"input": 124, "output": 6, "total": 130}
    assert found["provided_usage_details"] == {}
    assert float(found["total_cost"]) == pytest.approx((124 * 2.5 + 6 * 10) / 1e6)


@pytest.mark.parametrize(
    "change",
    [
        {"langfuse.observation.usage_details": '{"input": 1}'},
        {"langfuse.observation.cost_details": '{"total": 1}'},
        {"langfuse.observation.level": "ERROR"},
        {"langfuse.observation.type": "agent"},
        {"langfuse.observation.type": "span"},
        {"langfuse.observation.model.name": "claude-sonnet-4-5"},
        {"langfuse.observation.model.name": "unheard"},
        {"gen_ai.operation.name": "invoke_agent"},
    ],
)
def test_nothing_else_is_counted(change: dict[str, Any]) -> None:
    assert "output" not in row(CALL | change)["usage_details"]


OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o",
    "input.value": json.dumps({"lc": 1, "type": "constructor", "kwargs": {"messages": [MESSAGES]}}),
    "output.value": "assistant: tiktoken is great!",
    **{
        f"llm.input_messages.{index}.message.{key}": value
        for index, message in enumerate(MESSAGES)
        for key, value in message.items()
    },
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.contents.0.message_content.type": "text",
    "llm.output_messages.0.message.contents.0.message_content.text": "tiktoken is great!",
}
LLAMA_INDEX = {"scope": ("openinference.instrumentation.llama_index", "")}


def test_of_openinference_its_messages_are_counted_and_not_the_frameworks_serialisation() -> None:
    assert (
        row(OPENINFERENCE)["usage_details"] == row(CALL)["usage_details"] == {"input": 124, "output": 6, "total": 130}
    )


def test_a_call_of_a_tool_is_counted_as_its_name_and_arguments() -> None:
    call = "llm.output_messages.0.message.tool_calls.0.tool_call.function"
    called = {
        "llm.output_messages.0.message.role": "assistant",
        f"{call}.name": "weather",
        f"{call}.arguments": '{"city": "Paris"}',
    }
    found = row({"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", **called})["usage_details"]
    same = {"role": "assistant", "tool_calls": [{"function": {"name": "weather", "arguments": '{"city": "Paris"}'}}]}
    assert found["output"] == counted(json.dumps([same]))


def test_what_llama_index_embeds_is_counted_and_not_the_call_around_it() -> None:
    embedded = {
        "openinference.span.kind": "EMBEDDING",
        "embedding.model_name": "text-embedding-3-small",
        "input.value": '{"texts": ["tiktoken is great!"], "show_progress": false}',
    }
    text = {"embedding.embeddings.0.embedding.text": "tiktoken is great!"}
    assert row(embedded | text, around=LLAMA_INDEX)["usage_details"] == {"input": 6, "total": 6}
    assert row(embedded, around=LLAMA_INDEX)["usage_details"] == {}


def test_what_llama_index_does_around_a_call_is_not_counted() -> None:
    around = {key: value for key, value in OPENINFERENCE.items() if "messages" not in key}
    assert row(around, around=LLAMA_INDEX)["usage_details"] == {}
    assert row(around)["usage_details"] != {}


def test_parts_of_opentelemetrys_messages_are_counted() -> None:
    parts = [{"type": "text", "content": "tiktoken is great!"}]
    assert counted(json.dumps([{"role": "assistant", "parts": parts}])) == 6
    image = [*parts, {"type": "blob", "modality": "image"}]
    assert counted(json.dumps([{"role": "assistant", "parts": image}])) is None
    call = [{"type": "tool_call", "name": "weather", "arguments": {"city": "Paris"}}]
    assert counted(json.dumps([{"role": "assistant", "parts": call}])) == counted('{"city":"Paris"}')

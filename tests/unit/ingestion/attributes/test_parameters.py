"""Contract 4.2, model parameters."""

import json
from typing import Any

import pytest

from tests.unit.ingestion.spans import row

EXPLICIT = "langfuse.observation.model.parameters"
PROVIDER = "ai.response.providerMetadata"


def parameters(attributes: dict[str, Any], scope: str = "my.tracer") -> str:
    return str(row(attributes, around={"scope": (scope, "1")})["model_parameters"])


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({EXPLICIT: '{"temperature": 0.2}', "llm.invocation_parameters": '{"a":1}'}, '{"temperature": 0.2}'),
        ({EXPLICIT: {"temperature": 0.2}}, '{"temperature":0.2}'),
        ({EXPLICIT: "broken", "llm.invocation_parameters": '{"a":1}'}, '{"a":1}'),
        ({EXPLICIT: "", "llm.invocation_parameters": '{"a":1}'}, '{"a":1}'),
        ({"llm.invocation_parameters": '{"a":1}', "model_config": '{"b":1}'}, '{"a":1}'),
        ({"llm.invocation_parameters": "broken", "model_config": '{"b":1}'}, '{"b":1}'),
        ({"model_config": '{"b":1}', "gen_ai.request.top_p": 1}, '{"b":1}'),
        ({"gen_ai.request.model": "m", "gen_ai.request.temperature": 0.5}, '{"temperature":0.5}'),
        ({"gen_ai.request.top_p": 1, "llm.invocation_parameters.k": "v"}, '{"top_p":1,"k":"v"}'),
        ({EXPLICIT: "nothing but this"}, "nothing but this"),
        ({"gen_ai.request.model": "m"}, ""),
        ({}, ""),
    ],
)
def test_the_first_source_wins(attributes: dict[str, Any], expected: str) -> None:
    assert parameters(attributes) == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({EXPLICIT: '{"stop": ["a"], "n": 1, "s": "x"}'}, {"stop": '["a"]', "n": 1, "s": "x"}),
        ({EXPLICIT: '{"stream": true, "seed": null}'}, {"stream": "true", "seed": "null"}),
        ({"gen_ai.request.stop_sequences": ["a", "b"]}, {"stop_sequences": '["a","b"]'}),
        ({"gen_ai.request.stream": True}, {"stream": "true"}),
    ],
)
def test_what_is_neither_text_nor_number_becomes_json_text(
    attributes: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert json.loads(parameters(attributes)) == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"genkit:input": '{"config": {"temperature": 1}}'}, {"temperature": 1}),
        ({"genkit:output": '{"request": {"config": {"topK": 2}}}'}, {"topK": 2}),
        (
            {"genkit:input": '{"config": {"a": 1}}', "genkit:output": '{"request": {"config": {"b": 2}}}'},
            {"a": 1},
        ),
        ({"genkit:input": '{"config": {"a": 1}}', EXPLICIT: '{"b": 2}'}, {"b": 2}),
    ],
)
def test_genkits_configuration(attributes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert json.loads(parameters(attributes, "genkit-tracer")) == expected


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("ai.settings.maxSteps", "maxSteps"),
        ("ai.prompt.toolChoice", "toolChoice"),
        ("gen_ai.request.max_tokens", "maxTokens"),
        ("gen_ai.response.finish_reasons", "finishReason"),
        ("gen_ai.finishReason", "finishReason"),
        ("gen_ai.system", "system"),
        ("ai.model.provider", "system"),
        ("ai.settings.maxRetries", "maxRetries"),
        ("ai.settings.mode", "mode"),
        ("gen_ai.request.temperature", "temperature"),
        ("gen_ai.request.service_tier", "service_tier"),
    ],
)
def test_vercels_parameters_are_texts(key: str, name: str) -> None:
    assert json.loads(parameters({key: 5}, "ai")) == {name: "5"}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"gen_ai.response.finish_reasons": ["stop"], "gen_ai.finishReason": "x"}, {"finishReason": '["stop"]'}),
        ({"gen_ai.system": "openai", "ai.model.provider": "x"}, {"system": "openai"}),
        (
            {PROVIDER: '{"openai": {"serviceTier": "flex"}}', "gen_ai.request.service_tier": "x"},
            {"service_tier": "flex"},
        ),
        ({PROVIDER: "broken", "gen_ai.request.service_tier": "auto"}, {"service_tier": "auto"}),
        ({"ai.settings.mode": "tool", EXPLICIT: '{"mode": "json", "n": 2}'}, {"mode": "json", "n": 2}),
    ],
)
def test_vercels_sources_in_their_order_with_the_explicit_ones_on_top(
    attributes: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert json.loads(parameters(attributes, "ai")) == expected


def test_request_attributes_count_when_there_are_none_of_vercels() -> None:
    assert json.loads(parameters({"gen_ai.request.top_p": 1}, "ai")) == {"top_p": 1}

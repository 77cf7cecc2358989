"""Contract 4.6: usage, in the order of its sources."""

import json
from typing import Any

import pytest

from tests.unit.ingestion.spans import row

DETAILS = "langfuse.observation.usage_details"
PROVIDER = "ai.response.providerMetadata"


def usage(attributes: dict[str, Any], scope: str = "my.tracer") -> dict[str, int]:
    found: dict[str, int] = row(attributes, around={"scope": (scope, "1")})["provided_usage_details"]
    return found


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({DETAILS: '{"input": 3, "output": 2}', "gen_ai.usage.input_tokens": 9}, {"input": 3, "output": 2}),
        ({DETAILS: {"input": 3}}, {"input": 3}),
        ({DETAILS: 5, "gen_ai.usage.input_tokens": 9}, {}),
        ({DETAILS: "[1]", "gen_ai.usage.input_tokens": 9}, {}),
        ({DETAILS: "broken", "gen_ai.usage.input_tokens": 9}, {"input": 9}),
        ({DETAILS: '{"input": "7", "bad": 1.5, "worse": -1, "worst": {}}'}, {"input": 7}),
        (
            {DETAILS: '{"prompt_tokens": 100, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 30}}'},
            {"input": 70, "output": 2, "input_cached_tokens": 30},
        ),
    ],
)
def test_step_1_declared_usage(attributes: dict[str, Any], expected: dict[str, int]) -> None:
    assert usage(attributes) == expected


def test_step_2_genkit() -> None:
    output = {"usage": {"inputTokens": 9, "outputTokens": 7, "thoughtsTokens": 3, "totalTokens": 16, "inputImages": 2}}
    attributes = {"genkit:output": json.dumps(output), "gen_ai.usage.input_tokens": 1}
    assert usage(attributes, "genkit-tracer") == {"input": 9, "output": 4, "output_reasoning": 3, "total": 16}
    assert usage({"genkit:output": "broken"}, "genkit-tracer") == {}


COUNTED = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"gen_ai.usage.prompt_tokens": 8, "gen_ai.usage.input_tokens": 9}, {"input": 8}),
        ({"gen_ai.usage.completion_tokens": 8, "gen_ai.usage.output_tokens": 9}, {"output": 8}),
        ({"ai.usage.tokens": 5}, {"input": 5, "total": 5}),
        ({"gen_ai.usage.details.x": 5, "ai.usage.promptTokens": 5}, {}),
        (COUNTED | {"ai.usage.cachedInputTokens": 40}, {"input": 60, "output": 50, "input_cached_tokens": 40}),
        (COUNTED | {"ai.usage.reasoningTokens": 60}, {"input": 100, "output": 0, "output_reasoning_tokens": 60}),
    ],
)
def test_step_3_vercel(attributes: dict[str, Any], expected: dict[str, int]) -> None:
    assert usage(attributes, "ai") == expected


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        (
            {"openai": {"cachedPromptTokens": 40, "reasoningTokens": 20, "acceptedPredictionTokens": 1,
                        "rejectedPredictionTokens": 2}},
            {"input": 60, "output": 30, "input_cached_tokens": 40, "output_reasoning_tokens": 20,
             "accepted_prediction_tokens": 1, "rejected_prediction_tokens": 2},
        ),
        (
            {"anthropic": {"usage": {"cache_read_input_tokens": 10, "cache_creation_input_tokens": 30,
                                     "cache_creation": {"ephemeral_5m_input_tokens": 8,
                                                        "ephemeral_1h_input_tokens": 12}}}},
            {"input": 60, "output": 50, "input_cached_tokens": 10, "input_cache_creation": 10,
             "input_cache_creation_5m": 8, "input_cache_creation_1h": 12},
        ),
        (
            {"bedrock": {"usage": {"cacheReadInputTokens": 10, "cacheWriteInputTokens": 20,
                                   "cacheCreationInputTokens": 30}}},
            {"input": 60, "output": 50, "input_cache_read": 10, "input_cache_write": 20, "input_cache_creation": 30},
        ),
        ({"openai": None, "anthropic": 5}, {"input": 100, "output": 50}),
    ],
)  # fmt: skip
def test_step_3_vercels_provider_metadata(provider: dict[str, Any], expected: dict[str, int]) -> None:
    assert usage(COUNTED | {PROVIDER: json.dumps(provider)}, "ai") == expected


@pytest.mark.parametrize(
    ("scope", "response", "expected"),
    [
        (
            "gcp.vertex.agent",
            '{"usage_metadata": {"cached_content_token_count": 40}}',
            {"input": 60, "output": 50, "input_cached_tokens": 40},
        ),
        ("gcp.vertex.agent", '{"usage_metadata": {}}', {"input": 100, "output": 50}),
        ("gcp.vertex.agent", "broken", {"input": 100, "output": 50}),
        ("other", '{"usage_metadata": {"cached_content_token_count": 40}}', {"input": 100, "output": 50}),
    ],
)
def test_step_4_cached_tokens_of_google_adk(scope: str, response: str, expected: dict[str, int]) -> None:
    assert usage(COUNTED | {"gcp.vertex.agent.llm_response": response}, scope) == expected


SOURCES = {
    "input": ("prompt_tokens", "input_tokens", "prompt"),
    "output": ("completion_tokens", "output_tokens", "completion"),
    "total": ("total_tokens", "total"),
    "input_cached_tokens": (
        "cache_read.input_tokens", "cache_read_input_tokens", "cache_read_tokens", "details.cache_read_tokens",
        "details.cache_read_input_tokens", "prompt_details.cache_read", "input_cached_tokens",
    ),
    "input_cache_creation": (
        "cache_creation.input_tokens", "cache_creation_input_tokens", "cache_write_tokens",
        "details.cache_write_tokens", "details.cache_creation_input_tokens", "prompt_details.cache_write",
        "input_cache_creation",
    ),
    "output_reasoning_tokens": ("reasoning.output_tokens", "completion_details.reasoning"),
    "output_audio_tokens": ("completion_details.audio",),
}  # fmt: skip
# Each name with all later ones of its key.
FIRST_UNITS = [
    pytest.param({name: 10 + place for place, name in enumerate(names[first:])}, {key: 10}, id=names[first])
    for key, names in SOURCES.items()
    for first in range(len(names))
]


@pytest.mark.parametrize("scope", ["my.tracer", "pydantic-ai", "gcp.vertex.agent"])
@pytest.mark.parametrize("prefix", ["gen_ai.usage.", "llm.token_count."])
@pytest.mark.parametrize(("units", "expected"), FIRST_UNITS)
def test_step_5_the_first_name_of_a_key_wins_and_no_other_is_counted(
    units: dict[str, int], expected: dict[str, int], prefix: str, scope: str
) -> None:
    assert usage({f"{prefix}{name}": count for name, count in units.items()}, scope) == expected


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        (
            {"input_tokens": 100, "cache_read_tokens": 30, "cache_write_tokens": 20},
            {"input": 50, "input_cached_tokens": 30, "input_cache_creation": 20},
        ),
        (
            {"output_tokens": 100, "reasoning.output_tokens": 30, "completion_details.audio": 20},
            {"output": 50, "output_reasoning_tokens": 30, "output_audio_tokens": 20},
        ),
        ({"input_tokens": 10, "cache_read_tokens": 30}, {"input": 0, "input_cached_tokens": 30}),
        ({"details.odd": 3, "other": 4}, {"odd": 3, "other": 4}),
        ({"input_tokens": "7", "output_tokens": "x", "cost": 1.0, "ratio": 0.5}, {"input": 7}),
    ],
)
def test_step_5_parts_are_subtracted_and_the_rest_is_kept(units: dict[str, Any], expected: dict[str, int]) -> None:
    assert usage({f"gen_ai.usage.{name}": count for name, count in units.items()}) == expected


REPEATING = [
    *({"gen_ai.operation.name": name} for name in ("invoke_agent", "agent_step")),
    *(
        {"ai.operationId": f"ai.{name}"}
        for name in ("generateText", "streamText", "generateObject", "streamObject", "embed", "embedMany")
    ),
]


@pytest.mark.parametrize("operation", REPEATING, ids=lambda operation: next(iter(operation.values())))
def test_step_6_what_repeats_its_children_is_not_counted_and_the_metadata_say_so(operation: dict[str, str]) -> None:
    found = row(
        operation | {"gen_ai.usage.prompt_tokens": 4, "ai.usage.tokens": 4, "gen_ai.usage.cost": 0.25},
        around={"scope": ("ai", "1")},
    )
    assert (found["usage_details"], found["cost_details"], found["total_cost"]) == ({}, {}, 0)
    explained = json.loads(found["metadata"]["usage_not_counted"])
    ((key, name),) = operation.items()
    assert explained == {
        "reason": f"{key} is {name}: what lies below it reports the same",
        "usage": {"input": 4, "total": 4},
        "cost": {"total": 0.25},
    }


def test_step_6_nothing_is_explained_when_there_is_nothing_to_count() -> None:
    assert "usage_not_counted" not in row({"gen_ai.operation.name": "invoke_agent", "model": "m"})["metadata"]
    assert "usage_not_counted" not in row({"gen_ai.operation.name": "chat", **COUNTED})["metadata"]
    assert usage({"ai.operationId": "ai.generateText", **COUNTED}) == {"input": 100, "output": 50}

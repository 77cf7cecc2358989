"""Usage, models and exact cost."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from ingestion import pricing
from ingestion.model_match import Model
from ingestion.pricing import PriceBook, managed_prices
from ingestion.rows import MAX_COST
from tests.unit.ingestion.spans import row

DETAILS = "langfuse.observation.usage_details"
MODEL = "langfuse.observation.model.name"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({DETAILS: '{"input": 3, "output": 2}'}, {"input": 3, "output": 2, "total": 5}),
        ({DETAILS: '{"input": 3, "total": 9}'}, {"input": 3, "total": 9}),
        (
            {DETAILS: '{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,'
                      '"prompt_tokens_details":{"cached_tokens":30,"audio_tokens":null}}'},
            {"input": 70, "output": 20, "total": 120, "input_cached_tokens": 30},
        ),
        (
            {DETAILS: '{"input_tokens":10,"output_tokens":9,"output_tokens_details":{"reasoning_tokens":4}}'},
            {"input": 10, "output": 5, "output_reasoning_tokens": 4, "total": 19},
        ),
        ({DETAILS: '{"input": "7", "bad": 1.5, "worse": -1, "worst": {}}'}, {"input": 7, "total": 7}),
        ({DETAILS: "broken", "gen_ai.usage.input_tokens": 4}, {"input": 4, "total": 4}),
        ({DETAILS: 5, "gen_ai.usage.input_tokens": 4}, {}),
        ({"gen_ai.usage.input_tokens": 10, "gen_ai.usage.cache_read.input_tokens": 4, "gen_ai.usage.cost": 1.0},
         {"input": 6, "input_cached_tokens": 4, "total": 10}),
        ({"llm.token_count.prompt": 10, "llm.token_count.completion": 5, "llm.token_count.total": 15,
          "llm.token_count.completion_details.reasoning": 2},
         {"input": 10, "output": 3, "total": 15, "output_reasoning_tokens": 2}),
        ({"gen_ai.usage.details.odd": 3}, {"odd": 3, "total": 3}),
        ({"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 4}, {}),
    ],
)  # fmt: skip
def test_usage(attributes: dict[str, Any], expected: dict[str, int]) -> None:
    assert row(attributes)["usage_details"] == expected


def test_usage_of_the_vercel_sdk_subtracts_what_the_provider_reports() -> None:
    found = row(
        {
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 5,
            "ai.response.providerMetadata": '{"anthropic":{"usage":{"cache_read_input_tokens":60}}}',
        },
        around={"scope": ("ai", "")},
    )
    assert found["usage_details"] == {"input": 40, "output": 5, "input_cached_tokens": 60, "total": 105}


def test_tokens_are_sums_over_the_keys_of_each_side() -> None:
    found = row({DETAILS: '{"input": 3, "input_cached_tokens": 4, "output": 2, "output_reasoning": 1}'})
    assert (found["input_tokens"], found["output_tokens"], found["total_tokens"]) == (7, 3, 10)


def test_cost_is_price_times_usage_exactly() -> None:
    found = row({MODEL: "gpt-4o-mini-2024-07-18", DETAILS: '{"input": 1000001, "output": 3, "unpriced": 5}'})
    assert found["model_id"] == "heliograph-gpt-4o-mini"
    assert found["cost_details"] == {
        "input": Decimal("0.150000150000"),
        "output": Decimal("0.000001800000"),
        "total": Decimal("0.150001950000"),
    }
    assert found["total_cost"] == Decimal("0.150001950000")
    assert found["pricing_tier"] == "Standard"


def test_provided_cost_wins_over_inference() -> None:
    cost = "langfuse.observation.cost_details"
    found = row({MODEL: "gpt-4o", DETAILS: '{"input": 10}', cost: '{"input": 0.001, "output": 0.002}'})
    assert found["total_cost"] == Decimal("0.003")
    assert found["provided_cost_details"] == {"input": Decimal("0.001"), "output": Decimal("0.002")}
    other = row({MODEL: "gpt-4o", DETAILS: '{"input": 10}', cost: '{"tools": 0.001, "input": 1}'})
    assert other["total_cost"] == 0
    assert "total" not in other["cost_details"]


def test_a_scalar_cost_is_the_total() -> None:
    assert row({"gen_ai.usage.cost": 0.25})["total_cost"] == Decimal("0.25")
    assert row({"llm.cost.total": "0.5"})["total_cost"] == Decimal("0.5")


@pytest.mark.parametrize("cost", ["-1", "NaN", "1e999999999", "x", True, None, [1]])
def test_what_is_no_cost_is_dropped_or_clamped(cost: object) -> None:
    assert pricing.picodollars(cost) in (None, MAX_COST)


def test_models_of_a_project_come_first_and_absent_ones_cost_nothing() -> None:
    book = PriceBook([Model("mine", "mine", "^gpt-4o$", {"input": 1}), Model("other", "other", "^gpt", {"input": 2})])
    found = book.match("gpt-4o")
    assert found is not None
    assert found.id == "mine"
    assert book.match("unknown") is None
    assert book.match("") is None


@pytest.mark.parametrize(
    ("reported", "model"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("openai/GPT-4.1-mini", "gpt-4.1-mini"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
        ("claude-3-5-haiku@20241022", "claude-3-5-haiku"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("gemini-2.5-flash-lite", "gemini-2.5-flash-lite"),
        ("mistral-large-latest", "mistral-large"),
        ("text-embedding-3-small", "text-embedding-3-small"),
        ("o3", "o3"),
    ],
)
def test_reported_names_find_their_model(reported: str, model: str) -> None:
    found = managed_prices().match(reported)
    assert found is not None
    assert found.name == model


def test_each_managed_model_matches_its_own_name_alone() -> None:
    models = list(_managed())
    for model in models:
        matching = [other.name for other in models if re.search(other.match_pattern, model.name)]
        assert matching == [model.name]
        assert all(price > 0 for price in model.prices.values())


def _managed() -> list[Model]:
    return pricing.models_from(json.loads(pricing.MANAGED_PRICES.read_text())["models"])

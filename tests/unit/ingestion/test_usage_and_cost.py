"""Usage, models and exact cost."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from heliograph.domain.costs import MAX_UNITS, units_of
from heliograph.domain.models import Model, PricingTier
from ingestion.managed_prices import MANAGED_PRICES, managed_models
from ingestion.pricing import PriceBook, managed_prices
from tests.unit.ingestion.spans import CONTEXT, row

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
    assert units_of(cost) in (None, MAX_UNITS)


def test_what_has_no_price_is_named_and_not_billed() -> None:
    found = row({MODEL: "gpt-4o", DETAILS: '{"input": 10, "odd": 5, "none": 0, "total": 15}'})
    assert found["unpriced_usage"] == ["odd"]
    assert set(found["cost_details"]) == {"input", "total"}
    assert row({MODEL: "gpt-4o", DETAILS: '{"input": 10}'})["unpriced_usage"] == []
    assert row({MODEL: "unheard", DETAILS: '{"input": 10}'})["unpriced_usage"] == []


def test_a_provided_cost_covers_everything() -> None:
    found = row({MODEL: "gpt-4o", DETAILS: '{"odd": 10}', "langfuse.observation.cost_details": '{"total": 1}'})
    assert found["unpriced_usage"] == []
    assert found["pricing_tier"] == ""


def test_models_of_a_project_come_first_and_absent_ones_cost_nothing() -> None:
    managed = PriceBook([Model("managed", "gpt-4o", "^gpt-4o"), Model("other", "other", "^other$")])
    book = PriceBook([Model("mine", "mine", "^gpt-4o$")], managed)
    assert _id(book, "gpt-4o") == "mine"
    assert _id(book, "gpt-4o-mini") == "managed"
    assert _id(book, "other") == "other"
    assert _id(book, "unknown") is None
    assert _id(book, "") is None
    assert _id(book, "gpt-4o" + "-" * 500) is None


def test_a_definition_holds_from_its_start_date_on() -> None:
    book = PriceBook(
        [
            Model("first", "m", "^m$"),
            Model("third", "m", "^m$", start_date=datetime(2026, 3, 1, tzinfo=UTC)),
            Model("second", "m", "^m$", start_date=datetime(2026, 2, 1, tzinfo=UTC)),
        ]
    )
    days = {
        datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC): "first",
        datetime(2026, 2, 1, tzinfo=UTC): "second",
        datetime(2026, 2, 28, tzinfo=UTC): "second",
        datetime(2026, 3, 1, tzinfo=UTC): "third",
    }
    assert {at: _id(book, "m", at) for at in days} == days
    assert _id(book, "m") == "third"


def test_a_definition_that_has_not_begun_prices_nothing() -> None:
    prices = PricingTier("Standard", {"input": 7})
    begun, not_begun = (
        PriceBook([Model("m", "m", "^m$", (prices,), start_date=datetime(year, 1, 1, tzinfo=UTC))])
        for year in (2025, 2027)
    )
    attributes = {MODEL: "m", DETAILS: '{"input": 2}'}
    priced = row(attributes, around={"context": replace(CONTEXT, prices=begun)})
    assert priced["model_id"] == "m"
    assert priced["total_cost"] == Decimal(14).scaleb(-12)
    unpriced = row(attributes, around={"context": replace(CONTEXT, prices=not_begun)})
    assert (unpriced["model_id"], unpriced["total_cost"]) == ("", 0)


def _id(book: PriceBook, name: str, at: datetime | None = None) -> str | None:
    found = book.match(name, at)
    return found.id if found else None


@pytest.mark.parametrize(
    ("reported", "model"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("openai/GPT-4.1-mini", "gpt-4.1-mini"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "aws/regional.anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("openrouter/anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("groq/llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile"),
        ("claude-3-5-haiku@20241022", "claude-3-5-haiku-latest"),
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


def test_the_managed_list_names_its_source_and_each_definition_once() -> None:
    source = json.loads(MANAGED_PRICES.read_text())["source"]
    assert source["package"] == "genai-prices"
    assert source.keys() == {"package", "version", "home", "generated_on"}
    ids = [model.id for model in managed_models()]
    assert len(ids) == len(set(ids)) > 500


def test_managed_definitions_keep_the_contracts_rules() -> None:
    for model in managed_models():
        assert re.compile(model.match_pattern).pattern
        assert [tier.name for tier in model.tiers if not tier.conditions] == ["Standard"]
        assert len({tier.name for tier in model.tiers}) == len({tier.priority for tier in model.tiers})
        assert {frozenset(tier.prices) for tier in model.tiers} == {frozenset(model.default_tier.prices)}
        assert all(price >= 0 for tier in model.tiers for price in tier.prices.values())

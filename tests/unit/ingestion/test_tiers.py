"""Which pricing tier a call falls under."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.domain.costs import MAX_UNITS
from heliograph.domain.model_documents import tier_document, tier_from
from heliograph.domain.models import CallCondition, Circumstance, Model, Operator, PricingTier, UsageCondition
from ingestion.managed_prices import managed_models
from ingestion.pricing import PriceBook
from ingestion.tiers import COMPARISONS, PricedModel
from tests.unit.ingestion.spans import CONTEXT, row

DETAILS = "langfuse.observation.usage_details"
MODEL = "langfuse.observation.model.name"
PARAMETERS = "langfuse.observation.model.parameters"

STANDARD = PricingTier("Standard", {"input": 1})
LONG = UsageCondition("input", Operator.GT, 100)
FLEX = CallCondition(Circumstance.MODEL_PARAMETERS, "service_tier", ("flex", "batch"))
GOLD = CallCondition(Circumstance.METADATA, "plan", ("gold",))


def tier_name(*tiers: PricingTier, usage: dict[str, int], call: tuple[str, dict[str, str]] = ("", {})) -> str:
    model = Model("m", "m", "^m$", (STANDARD, *tiers))
    return PricedModel(model).price(usage, *call)[1]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input": 100}, "Standard"),
        ({"input": 101}, "long"),
        ({"input": 60, "input_cached_tokens": 41}, "long"),
        ({"input": 60, "output": 500}, "Standard"),
        ({"INPUT_text": 101, "input": 0}, "long"),
    ],
)
def test_a_condition_compares_the_sum_of_all_keys_that_its_pattern_finds(usage: dict[str, int], expected: str) -> None:
    assert tier_name(PricingTier("long", {"input": 2}, 1, (LONG,)), usage=usage) == expected


def test_a_pattern_may_be_case_sensitive() -> None:
    exact = replace(LONG, is_case_sensitive=True)
    assert tier_name(PricingTier("long", {"input": 2}, 1, (exact,)), usage={"INPUT": 101, "input": 1}) == "Standard"


@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        (Operator.GT, [False, False, True]),
        (Operator.GTE, [False, True, True]),
        (Operator.LT, [True, False, False]),
        (Operator.LTE, [True, True, False]),
        (Operator.EQ, [False, True, False]),
        (Operator.NEQ, [True, False, True]),
    ],
)
def test_operators(operator: Operator, holds: list[bool]) -> None:
    special = PricingTier("special", {"input": 2}, 1, (UsageCondition("input", operator, 100),))
    found = [tier_name(special, usage={"input": units}) == "special" for units in (99, 100, 101)]
    assert found == holds
    assert set(COMPARISONS) == set(Operator)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (('{"service_tier": "flex"}', {}), "flex"),
        (('{"service_tier": "batch", "temperature": 0}', {}), "flex"),
        (('{"service_tier": "Flex"}', {}), "Standard"),
        (('{"stop": "service_tier"}', {}), "Standard"),
        (('{"nested": {"service_tier": "flex"}}', {}), "Standard"),
        (('{"service_tier": ["flex"]}', {}), "Standard"),
        (("service_tier", {}), "Standard"),
        (("", {"service_tier": "flex"}), "Standard"),
        (("", {}), "Standard"),
    ],
)
def test_a_parameter_is_compared_exactly_and_at_the_top_level(call: tuple[str, dict[str, str]], expected: str) -> None:
    assert tier_name(PricingTier("flex", {"input": 2}, 1, (FLEX,)), usage={"input": 1}, call=call) == expected


def test_metadata_may_choose_the_tier() -> None:
    gold = PricingTier("gold", {"input": 2}, 1, (GOLD,))
    assert tier_name(gold, usage={"input": 1}, call=("", {"plan": "gold"})) == "gold"
    assert tier_name(gold, usage={"input": 1}, call=("", {"plan": "tin"})) == "Standard"


def test_all_conditions_must_hold_and_the_smallest_priority_wins() -> None:
    both = PricingTier("both", {"input": 4}, 1, (FLEX, LONG))
    flex, long = PricingTier("flex", {"input": 2}, 2, (FLEX,)), PricingTier("long", {"input": 3}, 3, (LONG,))
    tiers = (long, both, flex)
    call: tuple[str, dict[str, str]] = ('{"service_tier": "flex"}', {})
    assert tier_name(*tiers, usage={"input": 101}, call=call) == "both"
    assert tier_name(*tiers, usage={"input": 100}, call=call) == "flex"
    assert tier_name(*tiers, usage={"input": 101}) == "long"
    assert tier_name(*tiers, usage={"input": 100}) == "Standard"


def test_a_span_is_priced_in_its_tier() -> None:
    tiers = (STANDARD, PricingTier("flex", {"input": 2}, 1, (FLEX,)), PricingTier("gold", {"input": 3}, 2, (GOLD,)))
    around = {"context": replace(CONTEXT, prices=PriceBook([Model("m", "m", "^m$", tiers)]))}
    attributes: dict[str, Any] = {MODEL: "m", DETAILS: '{"input": 5}'}
    plain, flex, gold = (
        row(attributes | extra, around=around)
        for extra in ({}, {PARAMETERS: '{"service_tier":"flex"}'}, {"langfuse.observation.metadata.plan": "gold"})
    )
    assert [found["pricing_tier"] for found in (plain, flex, gold)] == ["Standard", "flex", "gold"]
    assert [found["total_cost"] for found in (plain, flex, gold)] == [Decimal(n).scaleb(-12) for n in (5, 10, 15)]


def test_a_priced_total_is_the_total_and_covers_every_key() -> None:
    bill = PricedModel(Model("m", "m", "^m$", (PricingTier("Standard", {"total": 3, "input": 1}),))).price(
        {"input": 4, "odd": 2, "total": 6}
    )
    assert bill[0] == {"input": 4, "total": 18}
    assert bill[2] == ()


@given(st.dictionaries(st.sampled_from(["input", "output", "odd"]), st.integers(0, 2**64 - 1)))
def test_no_cost_exceeds_its_column(usage: dict[str, int]) -> None:
    model = PricedModel(Model("m", "m", "^m$", (PricingTier("Standard", {"input": 10**9, "output": 3}),)))
    bill = model.price(usage)
    assert all(0 <= cost <= MAX_UNITS for cost in bill[0].values())
    assert set(bill[2]) == {key for key in usage if key == "odd" and usage[key]}


def test_documents_keep_every_managed_tier() -> None:
    tiers = [tier for model in managed_models() for tier in model.tiers]
    assert [tier_from(tier_document(tier)) for tier in tiers] == tiers

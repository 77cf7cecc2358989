"""How the maintained price list becomes definitions of models."""

import json
import re
from typing import Any

import pytest

from heliograph.domain.model_documents import tier_from
from heliograph.domain.models import Model, PricingTier
from ingestion.managed_prices import MANAGED_PRICES
from ingestion.tiers import PricedModel
from operations.price_documents import HOSTS, PREFIXES, dated_prices, documents_of, pattern_of, tiers_of, variants_at

EQUALS = {"kind": "ClauseEquals", "equals": "gpt-4o"}


def finds(clause: dict[str, Any], name: str) -> bool:
    return re.search(f"(?i)^{pattern_of(clause)}", name) is not None


@pytest.mark.parametrize(
    ("clause", "matching", "others"),
    [
        (EQUALS, ["gpt-4o", "GPT-4o", "gpt-4o-2027-01-31", "gpt-4o-20270131", "gpt-4o-20270131-v1:0"],
         ["gpt-4o-mini", "my-gpt-4o", "gpt-4o-2027"]),
        ({"kind": "ClauseStartsWith", "starts_with": "o1.5"}, ["o1.5", "o1.5-mini"], ["o1x5", "so1.5"]),
        ({"kind": "ClauseContains", "contains": "nova"}, ["amazon.nova-pro", "nova"], ["nov"]),
        ({"kind": "ClauseEndsWith", "ends_with": "k3"}, ["us.kimi-k3", "k3"], ["k3.1"]),
        ({"kind": "ClauseRegex", "regex": r"^grok-\d$"}, ["grok-4"], ["xgrok-4", "grok-42"]),
        ({"kind": "ClauseOr", "or_": [EQUALS, {"kind": "ClauseStartsWith", "starts_with": "o3"}]},
         ["gpt-4o", "o3-pro"], ["gpt-4", "gpt-4o3"]),
        ({"kind": "ClauseAnd", "and_": [{"kind": "ClauseStartsWith", "starts_with": "g"},
                                        {"kind": "ClauseRegex", "regex": "^(?!.*-tts$)"}]},
         ["gemini"], ["gemini-tts", "o3"]),
    ],
)  # fmt: skip
def test_clauses(clause: dict[str, Any], matching: list[str], others: list[str]) -> None:
    assert [name for name in matching if not finds(clause, name)] == []
    assert [name for name in others if finds(clause, name)] == []


@pytest.mark.parametrize("regex", ["a^b", "^a|^b", "a|b"])
def test_a_regular_expression_that_cannot_be_embedded_is_refused(regex: str) -> None:
    with pytest.raises(ValueError):
        pattern_of({"kind": "ClauseRegex", "regex": regex})


STEPS = {"base": "2", "tiers": [{"start": 200_000, "price": "4"}]}
FLEX = {"when": {"service_tier": "flex"}, "constraint": None, "prices": {"input_mtok": "1"}}


def tiers(prices: dict[str, Any], *variants: dict[str, Any]) -> list[PricingTier]:
    return [tier_from(document) for document in tiers_of(prices, variants)]


def test_prices_are_for_one_unit() -> None:
    (only,) = tiers({"input_mtok": "2.5", "output_mtok": None, "web_searches_kcount": "10", "audio_hours": "1"})
    assert only == PricingTier("Standard", {"input": 2_500_000, "web_search_queries": 10**10})


def test_what_has_no_price_of_ours_is_left_out() -> None:
    assert tiers({"audio_hours": "0.3"}) == []


def test_long_inputs_have_tiers_and_so_has_each_way_of_processing() -> None:
    found = tiers(
        {"input_mtok": STEPS, "output_mtok": "8"},
        FLEX,
        {
            **FLEX,
            "when": {"processing": "batch"},
            "constraint": {"kind": "StartDateConstraint", "start_date": "2026-10-14"},
        },
        {"when": {"speed": "fast"}, "constraint": None, "prices": {"output_mtok": "80"}},
        {"when": {"service_tier": "default"}, "constraint": None, "prices": {}},
        {"when": {"moon": "full"}, "constraint": None, "prices": {"input_mtok": "0"}},
    )
    model = PricedModel(Model("m", "m", "^m$", tuple(found)))

    def priced(units: int, parameters: dict[str, str] | None = None) -> tuple[str, int]:
        bill = model.price({"input": units}, json.dumps(parameters or {}))
        return bill[1], bill[0]["input"] // units

    assert priced(200_000) == ("Standard", 2_000_000)
    assert priced(200_001) == ("Standard, more than 200k input tokens", 4_000_000)
    for value in ("flex", "batch"):
        assert priced(200_001, {"service_tier": value}) == ("Flex", 1_000_000)
    assert priced(1, {"speed": "fast"}) == ("Fast mode", 2_000_000)
    assert priced(200_001, {"speed": "fast"}) == ("Fast mode, more than 200k input tokens", 4_000_000)


def test_of_each_variant_the_one_that_held_then_is_taken() -> None:
    def variant(starts: str, price: str) -> dict[str, Any]:
        constraint = {"kind": "StartDateConstraint", "start_date": starts}
        return {"when": {"processing": "batch"}, "constraint": constraint, "prices": {"input_mtok": price}}

    off_peak = {**variant("2020-01-01", "9"), "constraint": {"kind": "TimeOfDateConstraint"}}
    variants = [off_peak, variant("2027-01-01", "3"), variant("2026-10-14", "2")]
    taken = {day: variants_at(day, variants) for day in ("", "2026-10-20", "2027-01-01")}
    prices = {day: [each["prices"]["input_mtok"] for each in found] for day, found in taken.items()}
    assert prices == {"": ["2"], "2026-10-20": ["2"], "2027-01-01": ["3"]}


def test_prices_that_changed_have_the_days_of_their_changes() -> None:
    prices = [
        {"constraint": None, "prices": {"input_mtok": "1"}},
        {"constraint": {"kind": "StartDateConstraint", "start_date": "2026-02-03"}, "prices": {"input_mtok": "2"}},
        {"constraint": {"kind": "TimeOfDateConstraint"}, "prices": {"input_mtok": "3"}},
    ]
    assert [(starts, found["input_mtok"]) for starts, found in dated_prices(prices)] == [("", "1"), ("2026-02-03", "2")]


def test_a_host_is_named_and_the_longer_names_come_first() -> None:
    def model(name: str) -> dict[str, Any]:
        return {
            "id": name,
            "match": {"kind": "ClauseEquals", "equals": name},
            "prices": {"input_mtok": "1"},
            "price_variants": None,
        }

    models = {"openai": [model("gpt-4o"), model("gpt-4o-2024-05-13")], "groq": [model("gpt-4o")]}
    found = documents_of({"id": name, "models": models.get(name, [])} for name in PREFIXES)
    assert [document["modelName"] for document in found] == ["gpt-4o-2024-05-13", "gpt-4o", "groq/gpt-4o"]
    assert re.search(found[1]["matchPattern"], "azure/gpt-4o")
    assert not re.search(found[2]["matchPattern"], "gpt-4o")


def test_the_list_in_the_repository_is_what_the_command_writes() -> None:
    listed = json.loads(MANAGED_PRICES.read_text())
    assert {model["id"].split("-")[1] for model in listed["models"]} > HOSTS
    assert all(len(line) < 12_000 for line in MANAGED_PRICES.read_text().splitlines())

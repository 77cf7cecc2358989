"""What usage costs, in whole pico-dollars (10^-12 US dollars), so that sums are exact in any order."""

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from ingestion.model_match import Model, ModelMatcher
from ingestion.rows import MAX_COST, PICO

Costs = dict[str, int]

MANAGED_PRICES = Path(__file__).with_name("managed_prices.json")

# Contract 5: names for the same thing share a price; one event sends only one of them.
ALIASES: dict[str, tuple[str, ...]] = {
    "input": ("input_tokens", "prompt_tokens", "input_text", "input_text_tokens", "promptTokenCount"),
    "output": ("output_tokens", "completion_tokens", "output_text", "output_text_tokens", "candidatesTokenCount"),
    "input_cached_tokens": (
        "input_cache_read",
        "cache_read_input_tokens",
        "input_cached_text_tokens",
        "cached_content_token_count",
    ),
    "input_cache_creation": ("cache_creation_input_tokens", "cache_write_tokens", "input_cache_creation_5m"),
    "input_cache_creation_1h": (),
    "output_reasoning_tokens": ("output_reasoning", "reasoning_tokens", "thoughtsTokenCount"),
    "input_audio_tokens": ("input_audio",),
    "output_audio_tokens": ("output_audio",),
}


class PriceBook:
    """Prices usage by the model that was called."""

    def __init__(self, models: Sequence[Model]) -> None:
        self._matcher = ModelMatcher(models)

    def match(self, model: str) -> Model | None:
        """The definition of the model with this reported name, if any."""
        return self._matcher.match(model) if model else None


def price(model: Model, usage: Mapping[str, int]) -> Costs:
    """The cost of each usage key that has a price, and their total.

    A key without a price is left out. A priced `total` is the total; otherwise it is the sum.
    """
    prices = model.prices
    costs = {key: prices[key] * units for key, units in usage.items() if key in prices}
    if not costs:
        return costs
    total = costs.get("total")
    if total is None:
        total = costs["total"] = sum(costs.values())
    if total > MAX_COST or max(costs.values()) > MAX_COST:
        return {key: min(cost, MAX_COST) for key, cost in costs.items()}
    return costs


def provided(costs: Mapping[str, object]) -> Costs:
    """Costs that came with the event, in pico-dollars; only finite, non-negative numbers."""
    known = {key: picodollars(value) for key, value in costs.items()}
    return {key: cost for key, cost in known.items() if cost is not None}


def with_total(costs: Costs) -> Costs:
    """Provided costs with their total: as given, else input and output, but only if nothing else was given."""
    if not costs or "total" in costs or not costs.keys() <= {"input", "output"}:
        return costs
    return {**costs, "total": min(sum(costs.values()), MAX_COST)}


def picodollars(value: object) -> int | None:
    """A number of dollars in pico-dollars, at most what a cost column holds; None when it is no cost."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        dollars = Decimal(str(value))
    except ArithmeticError:
        return None
    if not dollars.is_finite() or dollars < 0:
        return None
    # Compared as dollars first: scaling an exponent of millions would take all memory.
    return MAX_COST if dollars >= MAX_COST // PICO else min(round(dollars * PICO), MAX_COST)


def models_from(definitions: Iterable[Mapping[str, Any]]) -> list[Model]:
    """Model definitions from their JSON form, where prices are dollars per million units."""
    return [
        Model(
            id=definition["id"],
            name=definition["name"],
            match_pattern=definition["match_pattern"],
            prices=_with_aliases(definition["usd_per_million"]),
        )
        for definition in definitions
    ]


def _with_aliases(usd_per_million: Mapping[str, float]) -> dict[str, int]:
    prices = {}
    for key, dollars in usd_per_million.items():
        picos = round(Decimal(str(dollars)) * PICO / 1_000_000)
        prices.update(dict.fromkeys((key, *ALIASES.get(key, ())), picos))
    return prices


@lru_cache(maxsize=1)
def managed_prices() -> PriceBook:
    """The price book of the well-known models that ships with Heliograph."""
    listed = json.loads(MANAGED_PRICES.read_text())
    return PriceBook(models_from(listed["models"]))

"""What calls of many models cost, against a table that was worked out by hand.

Its prices are those on which genai-prices and litellm agree, but for the few models that only the former lists. When a
refresh of the managed list changes one of them on purpose, its rows are to be worked out again.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from ingestion.pricing import managed_prices
from tests.unit.ingestion.spans import row


class Use(NamedTuple):
    """Units of a usage key, dollars for a million of them, and what they cost."""

    units: int
    price: Decimal
    cost: Decimal


class Case(NamedTuple):
    """A call that the table prices."""

    model: str
    tier: str
    parameters: dict[str, str]
    usage: dict[str, Use]
    total: Decimal


def _table() -> Iterator[Case]:
    lines = Path(__file__).with_name("cost_table.txt").read_text().split("\n\n")[1:]
    for head, *items, last in (block.strip().splitlines() for block in lines):
        model, tier, *parameters = head.split(" | ")
        usage = {}
        for key, units, price, cost in map(str.split, items):
            usage[key] = Use(int(units), Decimal(price), Decimal(cost))
        yield Case(model, tier, dict(each.split("=") for each in parameters), usage, Decimal(last.split()[1]))


TABLE = list(_table())


@pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case.model} {case.tier}")
def test_a_call_costs_what_the_table_says(case: Case) -> None:
    found = row(
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": case.model,
            "langfuse.observation.model.parameters": json.dumps(case.parameters),
            "langfuse.observation.usage_details": json.dumps({key: use.units for key, use in case.usage.items()}),
        }
    )
    assert found["cost_details"] == {
        **{key: use.cost for key, use in case.usage.items()},
        "total": case.total,
    }
    assert found["total_cost"] == case.total
    assert found["pricing_tier"] == case.tier
    assert found["unpriced_usage"] == []


def test_the_table_is_consistent_and_covers_what_it_should() -> None:
    for case in TABLE:
        assert sum(use.cost for use in case.usage.values()) == case.total
        assert all(use.units * use.price / 1_000_000 == use.cost for use in case.usage.values())
    definitions = {found.id for case in TABLE if (found := managed_prices().match(case.model))}
    assert len(definitions) >= 40
    keys = {key for case in TABLE for key in case.usage}
    assert keys >= {
        *("input_cached_tokens", "input_cache_creation", "input_cache_creation_5m", "input_cache_creation_1h"),
        *("output_reasoning_tokens", "input_audio_tokens", "output_audio_tokens", "input_cached_audio_tokens"),
    }
    assert {case.tier for case in TABLE} >= {"Flex", "Priority", "Batch", "Standard, more than 200k input tokens"}

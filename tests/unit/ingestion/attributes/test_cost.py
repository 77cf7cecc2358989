"""Contract 4.7: provided cost."""

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.ingestion.spans import row

DETAILS = "langfuse.observation.cost_details"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({DETAILS: '{"input": 0.1, "output": 0.2}', "gen_ai.usage.cost": 9}, {"input": "0.1", "output": "0.2"}),
        ({DETAILS: {"input": 0.1}}, {"input": "0.1"}),
        ({DETAILS: 5, "gen_ai.usage.cost": 9}, {}),
        ({DETAILS: "broken", "gen_ai.usage.cost": 0.5}, {"total": "0.5"}),
        ({"gen_ai.usage.cost": 0.5, "llm.cost.total": 9}, {"total": "0.5"}),
        ({"llm.cost.total": "0.25"}, {"total": "0.25"}),
        ({}, {}),
    ],
)
def test_the_first_cost_wins(attributes: dict[str, Any], expected: dict[str, str]) -> None:
    assert row(attributes)["provided_cost_details"] == {key: Decimal(dollars) for key, dollars in expected.items()}


@pytest.mark.parametrize("key", ["gen_ai.usage.cost", "llm.cost.total"])
def test_a_provided_total_switches_inference_off(key: str) -> None:
    priced = {"model": "gpt-4o", "gen_ai.usage.input_tokens": 1000}
    assert row(priced)["cost_details"].keys() == {"input", "total"}
    assert row(priced | {key: 0.5})["cost_details"] == {"total": Decimal("0.5")}

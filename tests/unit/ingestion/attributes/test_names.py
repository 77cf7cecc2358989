"""Contract 4.2, observation name."""

from typing import Any

import pytest

from tests.unit.ingestion.attributes.precedence import first_of, passing_over
from tests.unit.ingestion.spans import row

KEYS = ("gen_ai.tool.name", "genkit:name", "logfire.msg", "ai.toolCall.name", "ai.operationId")


@pytest.mark.parametrize(("attributes", "expected"), [*first_of(*KEYS), *passing_over("", *KEYS)])
def test_the_first_name_wins(attributes: dict[str, Any], expected: str) -> None:
    assert row(attributes)["name"] == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, "work"),
        ({"ai.operationId": "ai.embed", "ai.telemetry.functionId": "shop"}, "shop:ai.embed"),
        ({"ai.telemetry.functionId": "shop"}, "work"),
        ({"gen_ai.tool.name": ["a", 1]}, '["a",1]'),
        ({"logfire.msg": {"a": 1}}, '{"a":1}'),
    ],
)
def test_the_function_qualifies_the_operation_and_what_is_no_text_becomes_json(
    attributes: dict[str, Any], expected: str
) -> None:
    assert row(attributes)["name"] == expected

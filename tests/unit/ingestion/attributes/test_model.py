"""Contract 4.2, model."""

from typing import Any

import pytest

from tests.unit.ingestion.attributes.precedence import first_of, passing_over
from tests.unit.ingestion.spans import row

KEYS = (
    "langfuse.observation.model.name",
    "gen_ai.response.model",
    "ai.model.id",
    "gen_ai.request.model",
    "llm.response.model",
    "llm.model_name",
    "model",
)


@pytest.mark.parametrize(("attributes", "expected"), [*first_of(*KEYS), *passing_over("", *KEYS)])
def test_the_first_model_wins(attributes: dict[str, Any], expected: str) -> None:
    assert row(attributes)["provided_model_name"] == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"genkit:name": "gemini", "genkit:metadata:subtype": "model"}, "gemini"),
        ({"genkit:name": "gemini", "genkit:metadata:subtype": "model", "model": "other"}, "other"),
        ({"genkit:name": "a flow", "genkit:metadata:subtype": "flow"}, ""),
        ({"genkit:name": "gemini"}, ""),
    ],
)
def test_genkits_name_is_a_model_only_of_that_subtype(attributes: dict[str, Any], expected: str) -> None:
    assert row(attributes)["provided_model_name"] == expected


@pytest.mark.parametrize("operation", ["invoke_agent", "agent_step"])
def test_agents_have_no_model_of_their_own(operation: str) -> None:
    found = row({"gen_ai.operation.name": operation} | dict.fromkeys(KEYS, "gpt-4o"))
    assert (found["provided_model_name"], found["model_id"]) == ("", "")
    assert row({"gen_ai.operation.name": "chat", "model": "gpt-4o"})["provided_model_name"] == "gpt-4o"

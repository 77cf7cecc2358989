"""Contract 4.2, prompt name and version."""

from typing import Any

import pytest

from tests.unit.ingestion.spans import row

NAME, VERSION = "langfuse.observation.prompt.name", "langfuse.observation.prompt.version"
OLD_NAME, OLD_VERSION = "langfuse.prompt.name", "langfuse.prompt.version"
VERCEL = "ai.telemetry.metadata.langfusePrompt"
GENERATION = {"langfuse.observation.type": "generation"}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({NAME: "p", VERSION: 3, OLD_NAME: "q", OLD_VERSION: 4}, ("p", 3)),
        ({OLD_NAME: "q", OLD_VERSION: "4", VERCEL: '{"name": "r", "version": 5}'}, ("q", 4)),
        ({VERCEL: '{"name": "r", "version": 5}'}, ("r", 5)),
        ({VERCEL: {"name": "r", "version": 5}}, ("r", 5)),
        ({VERCEL: "broken"}, ("", None)),
        ({NAME: "p"}, ("p", None)),
        ({NAME: "p", VERSION: "latest"}, ("p", None)),
        ({NAME: "p", VERSION: -1}, ("p", None)),
        ({NAME: "p", VERSION: 2**40}, ("p", None)),
        ({}, ("", None)),
    ],
)
def test_the_first_prompt_wins_and_an_odd_version_costs_nothing_else(
    attributes: dict[str, Any], expected: tuple[str, int | None]
) -> None:
    found = row(GENERATION | attributes)
    assert (found["prompt_name"], found["prompt_version"]) == expected


def test_only_generations_have_a_prompt() -> None:
    assert row({NAME: "p", VERSION: 3})["prompt_name"] == ""
    assert row({NAME: "p", VERSION: 3, "gen_ai.request.model": "m"})["prompt_name"] == "p"

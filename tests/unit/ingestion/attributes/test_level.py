"""Contract 4.2, level and status message."""

from typing import Any

import pytest

from ingestion.attributes.level import LIVEKIT_DEBUG
from tests.unit.ingestion.spans import row, status

ALIASES = {
    "DEBUG": ("DEBUG", "TRACE", "VERBOSE"),
    "DEFAULT": ("DEFAULT", "INFO", "LOG", "NOTICE", "OK", "SUCCESS"),
    "WARNING": ("WARNING", "WARN"),
    "ERROR": ("ERROR", "FATAL", "CRITICAL"),
}


@pytest.mark.parametrize(("alias", "expected"), [(alias, name) for name, found in ALIASES.items() for alias in found])
def test_aliases_of_levels(alias: str, expected: str) -> None:
    assert row({"langfuse.observation.level": f" {alias.lower()} "})["level"] == expected


@pytest.mark.parametrize(
    ("attributes", "code", "expected"),
    [
        ({}, 0, "DEFAULT"),
        ({}, 1, "DEFAULT"),
        ({}, 2, "ERROR"),
        ({"langfuse.observation.level": "warn"}, 2, "WARNING"),
        ({"langfuse.observation.level": "nonsense"}, 2, "ERROR"),
    ],
)
def test_a_declared_level_wins_over_the_status(attributes: dict[str, Any], code: int, expected: str) -> None:
    assert row(attributes, status=status(code))["level"] == expected


LIVEKIT = {"scope": ("livekit-agents", "1.0")}


@pytest.mark.parametrize("name", sorted(LIVEKIT_DEBUG))
def test_livekits_inner_spans_are_debug(name: str) -> None:
    assert row(name=name, around=LIVEKIT)["level"] == "DEBUG"
    assert row(name=name)["level"] == "DEFAULT"


def test_livekits_inner_spans_that_failed_are_errors() -> None:
    assert len(LIVEKIT_DEBUG) == 14
    assert row(name="on_enter", around=LIVEKIT, status=status(2))["level"] == "ERROR"
    assert row(name="agent_turn", around=LIVEKIT)["level"] == "DEFAULT"


@pytest.mark.parametrize(
    ("attributes", "message", "expected"),
    [
        ({"langfuse.observation.status_message": "declared"}, "of span", "declared"),
        ({"langfuse.observation.status_message": ""}, "of span", "of span"),
        ({}, "of span", "of span"),
        ({}, "", ""),
    ],
)
def test_status_message(attributes: dict[str, Any], message: str, expected: str) -> None:
    assert row(attributes, status=status(2, message))["status_message"] == expected

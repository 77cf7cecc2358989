"""Contract 4.2 and 4.8: what an observation says about its trace."""

from typing import Any

import pytest

from tests.unit.ingestion.attributes.precedence import first_of, passing_over
from tests.unit.ingestion.spans import mapped, plain, row, span

USER_KEYS = (
    "langfuse.user.id",
    "user.id",
    "langfuse.observation.metadata.langfuse_user_id",
    "langfuse.trace.metadata.langfuse_user_id",
    "ai.telemetry.metadata.userId",
)
SESSION_KEYS = (
    "langfuse.session.id",
    "session.id",
    "gen_ai.conversation.id",
    "langfuse.observation.metadata.langfuse_session_id",
    "langfuse.trace.metadata.langfuse_session_id",
    "ai.telemetry.metadata.sessionId",
)
TAG_KEYS = (
    "langfuse.trace.tags",
    "langfuse.tags",
    "langfuse.observation.metadata.langfuse_tags",
    "langfuse.trace.metadata.langfuse_tags",
    "ai.telemetry.metadata.tags",
    "tag.tags",
)


@pytest.mark.parametrize(
    ("attributes", "expected"), [*first_of(*USER_KEYS), *passing_over("", *USER_KEYS), ({"user.id": 7}, "7")]
)
def test_user(attributes: dict[str, Any], expected: str) -> None:
    assert row(attributes)["user_id"] == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [*first_of(*SESSION_KEYS), *passing_over("", *SESSION_KEYS), ({"session.id": ["a"]}, '["a"]')],
)
def test_session(attributes: dict[str, Any], expected: str) -> None:
    assert row(attributes)["session_id"] == expected


@pytest.mark.parametrize(("attributes", "expected"), [*first_of(*TAG_KEYS), *passing_over("", *TAG_KEYS)])
def test_tags_come_from_the_first_key_that_has_some(attributes: dict[str, Any], expected: str) -> None:
    assert row(attributes)["tags"] == [expected]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["a", "b"], ["a", "b"]),
        ('["a", 1]', ["a", "1"]),
        ("a, b", ["a", "b"]),
        ("a", ["a"]),
        ('"a"', ["a"]),
        ([1, None], ["1"]),
        ("", []),
        ("[broken", ["[broken"]),
    ],
)
def test_tags_are_read_from_lists_json_and_commas(tags: object, expected: list[str]) -> None:
    assert row({"langfuse.trace.tags": tags})["tags"] == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, None),
        ({"langfuse.trace.public": True}, True),
        ({"langfuse.trace.public": "true"}, True),
        ({"langfuse.trace.public": False, "langfuse.public": True}, False),
        ({"langfuse.public": True}, True),
        ({"langfuse.public": "no"}, False),
    ],
)
def test_public(attributes: dict[str, Any], expected: object) -> None:
    assert row(attributes)["public"] is expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, False),
        ({"langfuse.internal.is_app_root": True}, True),
        ({"langfuse.internal.is_app_root": "true"}, True),
        ({"langfuse.internal.is_app_root": "no"}, False),
        ({"langfuse.internal.as_root": True}, True),
        ({"langfuse.internal.as_root": "true"}, True),
    ],
)
def test_root_of_the_application(attributes: dict[str, Any], expected: object) -> None:
    assert row(attributes)["is_app_root"] is expected


def test_name_of_the_trace() -> None:
    assert row({"langfuse.trace.name": "support"})["trace_name"] == "support"
    assert row({"logfire.msg": "an observation's"})["trace_name"] == ""


def test_ids_among_the_metadata_lose_the_quotes_of_the_newer_sdk() -> None:
    assert row({"langfuse.observation.metadata.langfuse_user_id": '"u"'})["user_id"] == "u"
    assert row({"langfuse.observation.metadata.langfuse_user_id": "u"})["user_id"] == "u"


def test_input_and_output_of_the_trace_are_parts_of_it() -> None:
    attributes = {"langfuse.trace.input": "question", "langfuse.trace.output": "answer"}
    parts = plain(mapped(span(), span(attributes)).batch.trace_parts)
    assert [(part["field"], part["value"], part["record"]) for part in parts] == [
        ("input", "question", 1),
        ("output", "answer", 1),
    ]
    assert parts[0]["stamped_at"] == row()["start_time"]
    assert plain(mapped(span({"langfuse.trace.input": ""})).batch.trace_parts) == []

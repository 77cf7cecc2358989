"""Contract 4.1 and 4.2: when an observation started, ended, and gave its first token."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.ingestion.spans import CONTEXT, END, START, row

DECLARED = "langfuse.observation.completion_start_time"
STARTED_AT = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=START // 1000)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({DECLARED: "2026-11-24T08:52:51.674789Z"}, datetime(2026, 11, 24, 8, 52, 51, 674_789, UTC)),
        ({DECLARED: '"2026-11-24T08:52:51.674789Z"'}, datetime(2026, 11, 24, 8, 52, 51, 674_789, UTC)),
        ({DECLARED: "2026-11-24T08:52:51.5"}, datetime(2026, 11, 24, 8, 52, 51, 500_000, UTC)),
        ({DECLARED: "2026-11-24T08:00:00Z", "ai.response.msToFirstChunk": 1}, datetime(2026, 11, 24, 8, tzinfo=UTC)),
        ({"ai.response.msToFirstChunk": 99.5}, STARTED_AT + timedelta(milliseconds=100)),
        ({"ai.response.msToFirstChunk": 7, "ai.stream.msToFirstChunk": 9}, STARTED_AT + timedelta(milliseconds=7)),
        ({"ai.response.msToFirstChunk": 0, "ai.stream.msToFirstChunk": 9}, STARTED_AT),
        ({"ai.stream.msToFirstChunk": "9"}, STARTED_AT + timedelta(milliseconds=9)),
        ({DECLARED: "soon", "ai.stream.msToFirstChunk": 9}, STARTED_AT + timedelta(milliseconds=9)),
        ({DECLARED: "soon"}, None),
        ({"ai.stream.msToFirstChunk": "soon"}, None),
        ({}, None),
    ],
)
def test_completion_start_time(attributes: dict[str, Any], expected: datetime | None) -> None:
    assert row(attributes)["completion_start_time"] == expected


@pytest.mark.parametrize(
    ("started", "ended", "expected"),
    [
        (START, END, (STARTED_AT, STARTED_AT + timedelta(milliseconds=1500))),
        (START, 0, (STARTED_AT, STARTED_AT)),
        (0, START, (STARTED_AT, STARTED_AT)),
        (0, 0, (CONTEXT.received_at, CONTEXT.received_at)),
        (START, 5, (STARTED_AT, STARTED_AT)),
    ],
)
def test_a_missing_time_is_the_other_one_or_that_of_receipt(
    started: int, ended: int, expected: tuple[datetime, datetime]
) -> None:
    found = row(start_time_unix_nano=started, end_time_unix_nano=ended)
    assert (found["start_time"], found["end_time"]) == expected


def test_times_keep_their_microseconds() -> None:
    assert row()["start_time"].microsecond == START // 1000 % 1_000_000 == 674_231


def test_a_span_without_a_start_has_no_first_token() -> None:
    found = row({"ai.stream.msToFirstChunk": 9}, start_time_unix_nano=0)
    assert found["completion_start_time"] is None

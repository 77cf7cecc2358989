from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from heliograph.domain import metrics
from heliograph.domain.metrics import Granularity

START = datetime(2026, 11, 18, 22, 30, tzinfo=UTC)


def asked(**parts: Any) -> metrics.MetricsQuery:
    query = {
        "view": "traces",
        "metrics": [{"measure": "count", "aggregation": "count"}],
        "fromTimestamp": "2026-11-01T00:00:00Z",
        "toTimestamp": "2026-11-02T00:00:00Z",
    }
    return metrics.parse(orjson.dumps(query | parts).decode())


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (1.9, Granularity.MINUTE),
        (2, Granularity.HOUR),
        (71, Granularity.HOUR),
        (72, Granularity.DAY),
        (59 * 24, Granularity.DAY),
        (60 * 24, Granularity.WEEK),
        (364 * 24, Granularity.WEEK),
        (365 * 24, Granularity.MONTH),
    ],
)
def test_auto_follows_the_length_of_the_period(hours: float, expected: Granularity) -> None:
    after, before = START, START + timedelta(hours=hours)
    query = asked(
        timeDimension={"granularity": "auto"}, fromTimestamp=after.isoformat(), toTimestamp=before.isoformat()
    )
    assert query.granularity is expected


@pytest.mark.parametrize(
    ("granularity", "expected"),
    [
        (Granularity.HOUR, ["2026-11-18T22:00:00Z", "2026-11-18T23:00:00Z", "2026-11-19T00:00:00Z"]),
        (Granularity.DAY, ["2026-11-18", "2026-11-19"]),
        (Granularity.WEEK, ["2026-11-16"]),
        (Granularity.MONTH, ["2026-11-01"]),
    ],
)
def test_steps_are_those_that_the_period_touches(granularity: Granularity, expected: list[str]) -> None:
    begins = metrics.steps(granularity, START, START + timedelta(hours=2))
    assert [metrics.step_label(granularity, each) for each in begins] == expected


def test_months_follow_each_other_whatever_their_length() -> None:
    begins = metrics.steps(
        Granularity.MONTH, datetime(2026, 1, 31, tzinfo=UTC), datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC)
    )
    assert [each.month for each in begins] == [*range(1, 13), 1]


def test_a_step_without_rows_gets_the_row_of_a_gap() -> None:
    rows = [{"time_dimension": "b", "n": 1}, {"time_dimension": "b", "n": 2}, {"time_dimension": "x", "n": 3}]
    assert metrics.filled(rows, ["a", "b", "c"], {"time_dimension": None, "n": 0}) == [
        {"time_dimension": "a", "n": 0},
        {"time_dimension": "b", "n": 1},
        {"time_dimension": "b", "n": 2},
        {"time_dimension": "c", "n": 0},
        {"time_dimension": "x", "n": 3},
    ]


@pytest.mark.parametrize(
    "parts",
    [
        {"view": "users"},
        {"metrics": []},
        {"metrics": [{"measure": "count", "aggregation": "median"}]},
        {"toTimestamp": "2026-11-01T00:00:00Z"},
        {"fromTimestamp": "yesterday"},
        {"config": {"bins": 0}},
        {"config": {"row_limit": 1001}},
        {"timeDimension": {"granularity": "second"}},
        {"orderBy": [{"field": "count_count", "direction": "down"}]},
        {"dimensions": [{"field": "name"}] * 21},
        {"filters": [{"type": "string", "column": "name", "operator": "=", "value": "x"}] * 101},
    ],
)
def test_what_makes_no_sense_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        asked(**parts)

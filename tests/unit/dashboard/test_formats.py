from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from dashboard.components import formats


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (950, "950"), (1234, "1.2k"), (999_960, "1.0M"), (123_456, "123k"), (2e9, "2.0B"), (None, "–")],
)
def test_large_numbers_are_compact(value: float | None, text: str) -> None:
    assert formats.compact(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0"),
        (Decimal("0.0000058"), "$0.0000058"),
        (0.00001234, "$0.000012"),
        (1e-15, "$1.0e-15"),
        (0.0123, "$0.0123"),
        (3.456, "$3.46"),
        (12345.6, "$12,346"),
    ],
)
def test_cost_has_the_decimals_that_its_size_deserves(value: float | Decimal, text: str) -> None:
    assert formats.cost(value) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0.42, "0.42 ms"), (850, "850 ms"), (999.7, "1.00 s"), (1240, "1.24 s"), (59_996, "1 min 00 s"),
        (125_000, "2 min 05 s"), (3_840_000, "1 h 04 min"), (None, "–"), (float("nan"), "–"),
    ],
)  # fmt: skip
def test_duration_is_in_the_largest_fitting_unit(milliseconds: float | None, text: str) -> None:
    assert formats.duration(milliseconds) == text


def test_moments_are_written_in_utc() -> None:
    east = timezone(timedelta(hours=2))
    assert formats.moment(datetime(2026, 3, 1, 14, 0, tzinfo=east)) == "2026-03-01 12:00:00"
    assert formats.moment(datetime(2026, 3, 1, 14, 0, tzinfo=UTC)) == "2026-03-01 14:00:00"


@pytest.mark.parametrize(
    ("value", "before", "text"),
    [(110, 100, "+10%"), (98, 100, "-2.0%"), (5, 0, ""), (5000, 100, "×50"), (0, 10, "-100%")],
)
def test_change_is_signed(value: float, before: float, text: str) -> None:
    assert formats.change(value, before) == text


@pytest.mark.parametrize(("share", "text"), [(0, "0%"), (0.034, "3.4%"), (1, "100%"), (None, "–")])
def test_shares_are_percentages(share: float | None, text: str) -> None:
    assert formats.percent(share) == text

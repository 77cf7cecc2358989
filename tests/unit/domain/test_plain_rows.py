"""Rows as plain values are what Arrow's own conversion gives."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from heliograph.domain import tables
from heliograph.domain.plain_rows import plain_rows
from tests import factories

_NOON = datetime(2026, 11, 28, 12, 0, 0, 123456, tzinfo=UTC)


def observations() -> pa.Table:
    rows: list[dict[str, Any]] = [
        factories.observation(
            "p",
            "t",
            f"o{number}",
            start_time=_NOON + timedelta(days=number * 200),
            end_time=_NOON if number % 2 else None,
            metadata=[("a", "1"), ("b", "é")][: number % 3],
            usage_details=[("input", number)],
            cost_details=[("total", Decimal("0.5"))] if number else [],
            tags=["x"] * number,
            prompt_version=number or None,
        )
        for number in range(6)
    ]
    return factories.table("observations", rows)


def expected(table: pa.Table) -> list[dict[str, Any]]:
    return list(table.to_pylist(maps_as_pydicts="lossy"))


def test_rows_are_those_of_arrow() -> None:
    table = observations()
    assert list(plain_rows(table)) == expected(table)


def test_rows_of_a_slice_and_of_several_chunks_are_those_of_arrow() -> None:
    sliced = observations().slice(1, 3)
    chunked = pa.concat_tables([sliced, observations(), observations().slice(5)])
    for table in (sliced, chunked, observations().slice(6), tables.empty(tables.OBSERVATIONS)):
        assert list(plain_rows(table)) == expected(table)

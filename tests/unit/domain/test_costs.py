"""Exact costs."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from heliograph.domain.costs import MAX_UNITS, UNITS_PER_DOLLAR, to_decimals, to_units
from heliograph.domain.tables import COST

units = st.lists(st.integers(-MAX_UNITS, MAX_UNITS))


@given(units)
def test_units_survive_the_way_through_arrow(given_units: list[int]) -> None:
    column = to_decimals(np.array(given_units, dtype=np.int64))
    assert column.type == COST
    assert to_units(column).tolist() == given_units


@given(units)
def test_decimals_are_the_units_in_dollars(given_units: list[int]) -> None:
    column = to_decimals(np.array(given_units, dtype=np.int64))
    assert column.to_pylist() == [Decimal(unit).scaleb(-12) for unit in given_units]


def test_one_dollar_is_its_units() -> None:
    assert to_units(pa.array([Decimal(1)], COST)).tolist() == [UNITS_PER_DOLLAR]


def test_a_slice_of_a_column_gives_its_own_units() -> None:
    column = to_decimals(np.arange(10, dtype=np.int64))
    assert to_units(column.slice(3, 4)).tolist() == [3, 4, 5, 6]


def test_chunked_and_empty_columns_are_read() -> None:
    chunks = pa.chunked_array([to_decimals(np.array([1])), to_decimals(np.array([2, 3]))])
    assert to_units(chunks).tolist() == [1, 2, 3]
    assert to_units(pa.chunked_array([], COST)).tolist() == []

"""Costs as integers: one unit is 10⁻¹² US dollars, so that sums are exact and columns are built without objects."""

from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from heliograph.domain.tables import COST

UNITS_PER_DOLLAR = 10**12
# What Decimal(18, 12) holds: just under a million dollars.
MAX_UNITS = 10**18 - 1


def to_decimals(units: npt.NDArray[np.int64]) -> pa.Array:
    """An int64 array of units as an Arrow decimal128(18, 12) array without nulls."""
    words = np.empty((len(units), 2), np.int64)
    words[:, 0] = units
    # The upper half of 128 bits repeats the sign.
    words[:, 1] = units >> 63
    return pa.Decimal128Array.from_buffers(COST, len(units), [None, pa.py_buffer(words)])


def to_units(decimals: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """The inverse of `to_decimals`; nulls are not allowed."""
    array = decimals.combine_chunks() if isinstance(decimals, pa.ChunkedArray) else decimals
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], COST)
    words = np.frombuffer(array.buffers()[1] or b"", dtype=np.int64).reshape(-1, 2)
    units: npt.NDArray[np.int64] = words[array.offset : array.offset + len(array), 0]
    return units


def units_of(dollars: object) -> int | None:
    """A number of dollars in units, at most what a cost column holds; None when it is no cost."""
    if isinstance(dollars, bool) or not isinstance(dollars, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(dollars))
    except ArithmeticError:
        return None
    if not amount.is_finite() or amount < 0:
        return None
    # Compared as dollars first: scaling an exponent of millions would take all memory.
    if amount >= MAX_UNITS // UNITS_PER_DOLLAR:
        return MAX_UNITS
    return min(round(amount * UNITS_PER_DOLLAR), MAX_UNITS)

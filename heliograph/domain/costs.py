"""Costs as integers: one unit is 10⁻¹² US dollars, so that sums are exact and columns are built without objects."""

import numpy as np
import pyarrow as pa

from heliograph.domain.tables import COST

UNITS_PER_DOLLAR = 10**12
# What Decimal(18, 12) holds: just under a million dollars.
MAX_UNITS = 10**18 - 1


def to_decimals(units: np.ndarray) -> pa.Array:
    """An int64 array of units as an Arrow decimal128(18, 12) array without nulls."""
    pairs = np.empty((len(units), 2), dtype=np.int64)
    pairs[:, 0] = units
    pairs[:, 1] = units >> 63
    return pa.Array.from_buffers(COST, len(units), [None, pa.py_buffer(pairs)])


def to_units(decimals: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """The inverse of `to_decimals`; nulls are not allowed."""
    array = decimals.combine_chunks() if isinstance(decimals, pa.ChunkedArray) else decimals
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], COST)
    pairs = np.frombuffer(array.buffers()[1] or b"", dtype=np.int64).reshape(-1, 2)
    units: np.ndarray = pairs[array.offset : array.offset + len(array), 0]
    return units

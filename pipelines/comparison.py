"""Which columns differ between rows and what is stored of them."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]


def differences(rows: pa.Table, stored: pa.Table, columns: Iterable[str]) -> dict[str, Mask]:
    """Row by row, what differs; both tables hold the same things in the same order.

    Returns:
        For each column that differs anywhere, in which rows.
    """
    found = {name: _differ(rows[name].combine_chunks(), stored[name].combine_chunks()) for name in columns}
    return {name: mask for name, mask in found.items() if mask.any()}


def places(rows: pa.Table, stored: pa.Table, keys: Sequence[str]) -> npt.NDArray[np.int64]:
    """For each row the place of the stored one with the same key, -1 where there is none."""
    known = {key: place for place, key in enumerate(_keys(stored, keys))}
    return np.fromiter((known.get(key, -1) for key in _keys(rows, keys)), np.int64, rows.num_rows)


def _keys(rows: pa.Table, keys: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return zip(*(rows[name].to_pylist() for name in keys), strict=True)


def _differ(ours: pa.Array, theirs: pa.Array) -> Mask:
    if pa.types.is_map(ours.type) or pa.types.is_list(ours.type):
        return _nested_differ(ours, theirs)
    if pa.types.is_floating(ours.type):
        # By their bits: what is no number equals itself.
        ours, theirs = ours.view(pa.int64()), theirs.view(pa.int64())
    unequal = pc.fill_null(pc.not_equal(ours, theirs), fill_value=False)
    mask: Mask = pc.or_(unequal, pc.not_equal(ours.is_null(), theirs.is_null())).to_numpy(zero_copy_only=False)
    return mask


def _nested_differ(ours: pa.Array, theirs: pa.Array) -> Mask:
    mask: Mask = _lengths(ours) != _lengths(theirs)
    alike = pa.array(~mask)
    ours, theirs = ours.filter(alike), theirs.filter(alike)
    lengths = _lengths(ours)
    items = np.zeros(int(lengths.sum()), dtype=bool)
    for mine, other in zip(_items(ours), _items(theirs), strict=True):
        items |= _differ(mine, other)
    upto = np.concatenate([[0], np.cumsum(items)])
    ends = np.cumsum(lengths)
    mask[~mask] = upto[ends] > upto[ends - lengths]
    return mask


def _lengths(column: pa.Array) -> npt.NDArray[np.int64]:
    lengths: npt.NDArray[np.int64] = np.diff(column.offsets.to_numpy()).astype(np.int64)
    return lengths


def _items(column: pa.Array) -> Sequence[pa.Array]:
    """Keys and values of maps, values of lists; filtered arrays hold nothing else."""
    entries = column.flatten() if pa.types.is_list(column.type) else None
    return [column.keys, column.items] if entries is None else [entries]

"""The rows of an Arrow table as plain Python values, several times faster than Arrow's own conversion makes them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def plain_rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """One dictionary for each row; times as datetimes in UTC, maps as dictionaries, of a repeated key the last."""
    names = table.column_names
    columns = [_values(column) for column in table.columns]
    return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def _values(column: pa.ChunkedArray) -> list[Any]:
    type_ = column.type
    if pa.types.is_timestamp(type_) and type_.unit == "us":
        return _moments(column)
    if pa.types.is_map(type_):
        return [entries for chunk in column.chunks for entries in _maps(chunk)]
    if pa.types.is_string(type_) and not column.null_count:
        texts: list[Any] = column.to_numpy().tolist()
        return texts
    return list(column.to_pylist())


def _moments(column: pa.ChunkedArray) -> list[datetime | None]:
    # Arrow asks a time zone about each of them.
    return [
        None if micros is None else _EPOCH + timedelta(microseconds=micros)
        for micros in column.cast(pa.int64()).to_pylist()
    ]


def _maps(chunk: pa.MapArray) -> list[dict[str, Any] | None]:
    if chunk.null_count:
        return list(chunk.to_pylist(maps_as_pydicts="lossy"))
    offsets = chunk.offsets.to_pylist()
    first, last = offsets[0], offsets[-1]
    keys = chunk.keys.slice(first, last - first).to_pylist() if last > first else []
    items = chunk.items.slice(first, last - first).to_pylist() if last > first else []
    return [
        dict(zip(keys[start - first : end - first], items[start - first : end - first], strict=True))
        for start, end in pairwise(offsets)
    ]

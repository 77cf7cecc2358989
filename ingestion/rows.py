"""From mapped columns to Arrow tables, built column by column."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from heliograph.domain import tables
from ingestion.values import clean

TextMap = Mapping[str, str]
Column = Sequence[Any]

# Twelve decimals, as the cost columns have.
PICO = 10**12
MAX_COST = 10**18 - 1

_ABSENT_MAP: Mapping[str, Any] = {}


class Columns:
    """Columns of rows that are still being mapped; a column that nobody sets holds its type's absent value."""

    def __init__(self, schema: pa.Schema, count: int) -> None:
        self.schema = schema
        self.count = count
        self._set: dict[str, list[Any]] = {}
        self._constant: dict[str, Any] = {}
        self._arrays: dict[str, pa.Array] = {}

    def put(self, name: str, rows: Sequence[int], values: Column) -> None:
        """Sets the column in these rows."""
        if len(rows) == self.count:
            self._set[name] = values if isinstance(values, list) else list(values)
            return
        column = self.get(name)
        for row, value in zip(rows, values, strict=True):
            column[row] = value

    def fill(self, name: str, rows: Sequence[int], value: Any) -> None:  # noqa: ANN401  # any column's value
        """Sets the column to one value in these rows."""
        if len(rows) == self.count:
            self._constant[name] = value
        elif value != self._absent(name):
            self.put(name, rows, list(repeat(value, len(rows))))

    def put_array(self, name: str, array: pa.Array) -> None:
        """Sets the whole column to what is an Arrow array already."""
        self._arrays[name] = array

    def get(self, name: str) -> list[Any]:
        """The column, to be read or changed."""
        column = self._set.get(name)
        if column is None:
            column = self._set[name] = [self._constant.pop(name, self._absent(name))] * self.count
        return column

    def is_set(self, name: str) -> bool:
        """Whether anybody set the column."""
        return name in self._set or name in self._constant

    def table(self) -> pa.Table:
        """The rows as a table of the schema."""
        return pa.Table.from_arrays([self._array(field) for field in self.schema], schema=self.schema)

    def _absent(self, name: str) -> Any:  # noqa: ANN401  # any column's value
        field = self.schema.field(name)
        return None if field.nullable else ABSENT[field.type]

    def _array(self, field: pa.Field) -> pa.Array:
        found = self._arrays.get(field.name)
        if found is not None:
            return found
        column = self._set.get(field.name)
        if column is None:
            value = self._constant.get(field.name, self._absent(field.name))
            return _repeated(value, field.type, self.count)
        if column and column[0] is column[-1] and column.count(column[0]) == len(column):
            return _repeated(column[0], field.type, self.count)
        return BUILDERS[field.type](column)


def _repeated(value: Any, type_: pa.DataType, count: int) -> pa.Array:  # noqa: ANN401  # any column's value
    if isinstance(type_, pa.MapType | pa.ListType) and not value:
        return _empty(type_, count)
    if value is not None and not isinstance(value, str | bool | float):
        return BUILDERS[type_]([value] * count)
    if value is None:
        return pa.nulls(count, type_)
    return pa.repeat(pa.scalar(clean(value) if isinstance(value, str) else value, type_), count)


def _empty(type_: pa.DataType, count: int) -> pa.Array:
    buffers = [None, pa.py_buffer(np.zeros(count + 1, np.int32))]
    children = [pa.array([], type_.field(0).type)]
    return pa.Array.from_buffers(type_, count, buffers, children=children)


def texts(column: Iterable[str]) -> pa.Array:
    """Text, with what UTF-8 cannot carry replaced."""
    try:
        return pa.array(column, tables.TEXT)
    except UnicodeEncodeError:
        return pa.array([clean(text) for text in column], tables.TEXT)


def hex_texts(column: Sequence[bytes]) -> pa.Array:
    """Ids as hex digits."""
    offsets = np.zeros(len(column) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, column), np.int32, len(column)), out=offsets[1:])
    digits = b"".join(column).hex().encode()
    return pa.StringArray.from_buffers(len(column), pa.py_buffer(offsets * 2), pa.py_buffer(digits))


def costs(column: Sequence[int]) -> pa.Array:
    """Pico-dollars as the decimals of the cost columns, without a Decimal for each."""
    picos = np.fromiter(column, np.int64, len(column))
    words = np.empty((len(picos), 2), np.int64)
    words[:, 0] = picos
    # The upper half of 128 bits repeats the sign.
    words[:, 1] = picos >> 63
    return pa.Decimal128Array.from_buffers(tables.COST, len(picos), [None, pa.py_buffer(words)])


def times(column: Sequence[int] | npt.NDArray[np.int64]) -> pa.Array:
    """Microseconds since 1970 as times."""
    return pa.array(column, pa.int64()).cast(tables.TIME)


def _text_lists(column: Sequence[Sequence[str]]) -> pa.Array:
    return pa.ListArray.from_arrays(_offsets(column), texts(list(chain.from_iterable(column))))


def _text_maps(column: Sequence[TextMap]) -> pa.Array:
    items = texts(list(chain.from_iterable([row.values() for row in column])))
    return pa.MapArray.from_arrays(_offsets(column), _keys(column), items)


def _usage_maps(column: Sequence[Mapping[str, int]]) -> pa.Array:
    items = pa.array(list(chain.from_iterable([row.values() for row in column])), pa.uint64())
    return pa.MapArray.from_arrays(_offsets(column), _keys(column), items)


def _cost_maps(column: Sequence[Mapping[str, int]]) -> pa.Array:
    items = costs(list(chain.from_iterable([row.values() for row in column])))
    return pa.MapArray.from_arrays(_offsets(column), _keys(column), items)


def _keys(column: Sequence[Mapping[str, Any]]) -> pa.Array:
    return texts(list(chain.from_iterable(column)))


def _offsets(column: Sequence[Any]) -> pa.Array:
    offsets = np.zeros(len(column) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, column), np.int32, len(column)), out=offsets[1:])
    return pa.array(offsets)


def _plain(type_: pa.DataType) -> Any:  # noqa: ANN401  # an array builder
    return lambda column: pa.array(column, type_)


BUILDERS: dict[pa.DataType, Any] = {
    tables.TEXT: texts,
    tables.TIME: times,
    tables.COST: costs,
    tables.TEXTS: _text_lists,
    tables.TEXT_MAP: _text_maps,
    tables.USAGE_MAP: _usage_maps,
    tables.COST_MAP: _cost_maps,
    pa.bool_(): _plain(pa.bool_()),
    pa.int32(): _plain(pa.int32()),
    pa.uint32(): _plain(pa.uint32()),
    pa.uint64(): _plain(pa.uint64()),
    pa.float64(): _plain(pa.float64()),
    pa.binary(): _plain(pa.binary()),
}
ABSENT: dict[pa.DataType, Any] = {
    tables.TEXT: "",
    tables.TIME: 0,
    tables.COST: 0,
    tables.TEXTS: (),
    tables.TEXT_MAP: _ABSENT_MAP,
    tables.USAGE_MAP: _ABSENT_MAP,
    tables.COST_MAP: _ABSENT_MAP,
    pa.bool_(): False,
    pa.int32(): 0,
    pa.uint32(): 0,
    pa.uint64(): 0,
    pa.float64(): 0.0,
    pa.binary(): b"",
}

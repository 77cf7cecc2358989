"""From mapped columns to Arrow tables, built column by column."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from heliograph.domain import costs, tables
from ingestion import lengths
from ingestion.lengths import bounded
from ingestion.values import clean

TextMap = Mapping[str, str]
Column = Sequence[Any]
ArrayBuilder = Callable[[Any], pa.Array]

_ABSENT_MAP: Mapping[str, Any] = {}


NO_OBSERVATIONS = tables.empty(tables.MAPPED_OBSERVATIONS)
NO_SCORES = tables.empty(tables.MAPPED_SCORES)
NO_TRACE_PARTS = tables.empty(tables.MAPPED_TRACE_PARTS)
NO_OBSERVATION_PARTS = tables.empty(tables.MAPPED_OBSERVATION_PARTS)


class Columns:
    """Columns of rows that are still being mapped; a column that nobody sets holds its type's absent value."""

    def __init__(self, schema: pa.Schema, count: int) -> None:
        self.count = count
        self._schema = schema
        self._fields = _fields_of(schema)
        self._set: dict[str, list[tuple[Sequence[int], Column]]] = {}
        self._constant: dict[str, Any] = {}
        self._arrays: dict[str, pa.Array] = {}
        self._orders: dict[tuple[int, ...], Callable[[list[Any]], Column]] = {}

    def put(self, name: str, rows: Sequence[int], values: Column) -> None:
        """Sets the column in these rows."""
        if len(values) != len(rows):
            message = f"{len(values)} values of {name} for {len(rows)} rows"
            raise ValueError(message)
        if len(rows) == self.count:
            self._set[name] = [(rows, values)]
        else:
            self._set.setdefault(name, []).append((rows, values))

    def fill(self, name: str, rows: Sequence[int], value: Any) -> None:  # any column's value
        """Sets the column to one value in these rows."""
        if len(rows) == self.count:
            self._constant[name] = value
        elif name in self._constant or value != self._fields[name].absent:
            self.put(name, rows, [value] * len(rows))

    def put_array(self, name: str, array: pa.Array) -> None:
        """Sets the whole column to what is an Arrow array already."""
        self._arrays[name] = array

    def values(self, name: str, rows: Sequence[int]) -> list[Any]:
        """What the column holds in these rows by now; times in microseconds."""
        array = self._arrays.get(name)
        if array is not None:
            chosen = array.take(pa.array(rows, pa.int32()))
            return list((chosen.cast(pa.int64()) if chosen.type == tables.TIME else chosen).to_pylist())
        for own, found in reversed(self._set.get(name, ())):
            if own is rows:
                return list(found)
        column = self._column(name)
        return [column[row] for row in rows]

    def table(self) -> pa.Table:
        """The rows as a table of the schema."""
        return pa.Table.from_arrays([self._array(field) for field in self._fields.values()], schema=self._schema)

    def _array(self, field: "_Field") -> pa.Array:
        found = self._arrays.get(field.name)
        if found is not None:
            return found
        if field.name not in self._set:
            return field.repeated(field.shortened(self._constant.get(field.name, field.absent)), self.count)
        column = self._column(field.name)
        if field.max_length is not None:
            column = bounded(column, field.max_length)
        if column and column[0] is column[-1] and column.count(column[0]) == self.count:
            return field.repeated(column[0], self.count)
        return field.build(column)

    def _column(self, name: str) -> Column:
        """One value for each row, from what was put in some of them."""
        parts = self._set.get(name, [])
        if len(parts) == 1 and len(parts[0][0]) == self.count:
            return parts[0][1]
        of_others = self._constant.get(name, self._fields[name].absent)
        if self.count <= _FEW_ROWS:
            column = [of_others] * self.count
            for rows, values in parts:
                for row, value in zip(rows, values, strict=True):
                    column[row] = value
            return column
        gathered = list(chain.from_iterable(values for _, values in parts))
        gathered.append(of_others)
        return self._order([rows for rows, _ in parts])(gathered)

    def _order(self, parts: list[Sequence[int]]) -> Callable[[list[Any]], Column]:
        """Puts values gathered from these rows, with the one for all others at their end, in the order of the rows."""
        # The same few lists of rows are put into nearly every column.
        key = tuple(map(id, parts))
        found = self._orders.get(key)
        if found is None:
            places = [sum(map(len, parts))] * self.count
            for place, row in enumerate(chain.from_iterable(parts)):
                places[row] = place
            # For one place alone it would not return a tuple.
            found = itemgetter(*places) if self.count > 1 else lambda gathered: [gathered[places[0]]]
            self._orders[key] = found
        return found


# For so few rows a selector is not worth making, and ready arrays are cut beforehand.
_FEW_ROWS = 64
# Columns that nobody set are slices of ready arrays of this many rows.
_READY_ROWS = 4096


class _Field:
    """A column's type, what absence is in it, and how its arrays are made."""

    def __init__(self, field: pa.Field) -> None:
        self.name = field.name
        self.build = BUILDERS[field.type]
        self.absent = None if field.nullable else ABSENT[field.type]
        self._type = field.type
        self.max_length = lengths.LIMITS.get(field.name) if field.type == tables.TEXT else None
        self._ready = self._built(self.absent, _READY_ROWS)
        self._short = [self._ready.slice(0, count) for count in range(_FEW_ROWS + 1)]

    def repeated(self, value: Any, count: int) -> pa.Array:  # any column's value
        """One value for every row."""
        if value == self.absent and count <= _READY_ROWS:
            return self._short[count] if count <= _FEW_ROWS else self._ready.slice(0, count)
        return self._built(value, count)

    def shortened(self, value: Any) -> Any:  # any column's value
        """The value, cut where the column's texts are bounded."""
        return value if self.max_length is None else lengths.cut(value, self.max_length)

    def _built(self, value: Any, count: int) -> pa.Array:  # any column's value
        if isinstance(value, str):
            return pa.repeat(_scalar(value), count)
        return pa.nulls(count, self._type) if value is None else self.build([value] * count)


@lru_cache(maxsize=1024)
def _scalar(text: str) -> pa.Scalar:
    return pa.scalar(clean(text), tables.TEXT)


@lru_cache(maxsize=8)
def _fields_of(schema: pa.Schema) -> dict[str, _Field]:
    return {field.name: _Field(field) for field in schema}


def texts(column: Iterable[str]) -> pa.Array:
    """Text, with what UTF-8 cannot carry replaced."""
    try:
        return pa.array(column, tables.TEXT)
    except UnicodeEncodeError:
        return pa.array([clean(text) for text in column], tables.TEXT)


def hex_texts(column: Sequence[bytes]) -> pa.Array:
    """Ids as hex digits."""
    digits = b"".join(column).hex().encode()
    return pa.StringArray.from_buffers(len(column), pa.py_buffer(_ends(column) * 2), pa.py_buffer(digits))


def _costs(column: Sequence[int]) -> pa.Array:
    return costs.to_decimals(np.fromiter(column, np.int64, len(column)))


def times(column: Sequence[int] | npt.NDArray[np.int64]) -> pa.Array:
    """Microseconds since 1970 as times."""
    return pa.array(column, pa.int64()).view(tables.TIME)


def _text_lists(column: Sequence[Sequence[str]]) -> pa.Array:
    return pa.ListArray.from_arrays(
        pa.array(_ends(column)), texts(bounded(list(chain.from_iterable(column)), lengths.ID))
    )


def _maps(build_items: ArrayBuilder) -> ArrayBuilder:
    def build(column: Sequence[Mapping[str, Any]]) -> pa.Array:
        keys = texts(bounded(list(chain.from_iterable(column)), lengths.KEY))
        items = build_items(list(chain.from_iterable([row.values() for row in column])))
        return pa.MapArray.from_arrays(pa.array(_ends(column)), keys, items)

    return build


def _ends(column: Sequence[Any]) -> npt.NDArray[np.int32]:
    ends = np.zeros(len(column) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, column), np.int32, len(column)), out=ends[1:])
    return ends


def _plain(type_: pa.DataType) -> ArrayBuilder:  # an array builder
    return lambda column: pa.array(column, type_)


BUILDERS: dict[pa.DataType, ArrayBuilder] = {
    tables.TEXT: texts,
    tables.TIME: times,
    tables.COST: _costs,
    tables.TEXTS: _text_lists,
    tables.TEXT_MAP: _maps(texts),
    tables.USAGE_MAP: _maps(_plain(pa.uint64())),
    tables.COST_MAP: _maps(_costs),
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

"""Rows of files and of data frames as items of a dataset, one after another: none is held longer than it takes."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

MAX_ROW = 4 << 20
_FRAME_PORTION = 500
_STOPPED = "the rest of the file is not read"
# The contract's names, and how Python spells them.
_ROLES = {
    "id": ("id",),
    "input": ("input",),
    "expectedOutput": ("expected_output", "expectedOutput"),
    "metadata": ("metadata",),
    "status": ("status",),
    "sourceTraceId": ("source_trace_id", "sourceTraceId"),
    "sourceObservationId": ("source_observation_id", "sourceObservationId"),
}


@dataclass(frozen=True)
class ItemRow:
    """A row that is an item, in the contract's spelling; `number` is its line, or its place in a frame."""

    number: int
    item: dict[str, Any]


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be an item, and why."""

    number: int
    reason: str


Row = ItemRow | BadRow


class Frame(Protocol):
    """A pandas DataFrame, as far as it is needed."""

    @property
    def iloc(self) -> Any:
        """Rows by their places."""
        ...

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class ColumnChoice:
    """Which columns make the parts of an item. Several columns make an object of them.

    Without a choice the columns are taken by their names: id, input, expected_output, metadata, status, source_trace_id
    and source_observation_id. Where none is called input, all columns that are nothing else are the input.
    """

    input: tuple[str, ...] = ()
    expected_output: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()

    def missing(self, columns: Iterable[str]) -> list[str]:
        """The chosen columns that are not there."""
        return sorted({*self.input, *self.expected_output, *self.metadata} - set(columns))

    def item(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The item that a row is; what is empty is left out."""
        chosen = {"input": self.input, "expectedOutput": self.expected_output, "metadata": self.metadata}
        taken = {column for columns in chosen.values() for column in columns}
        named = {role: name for role, names in _ROLES.items() for name in names if name in row and name not in taken}
        item = {role: row[name] for role, name in named.items() if not chosen.get(role)}
        item |= {role: _joined(row, columns) for role, columns in chosen.items() if columns}
        if "input" not in item:
            rest = [column for column in row if column not in taken and column not in named.values()]
            item["input"] = {column: row[column] for column in rest} or None
        return {role: value for role, value in item.items() if value is not None}


def file_rows(path: Path, choice: ColumnChoice) -> Iterator[Row]:
    """The rows of a CSV file, whose first line names its columns, or of a file of JSON lines."""
    return csv_rows(path, choice) if path.suffix.lower() == ".csv" else json_rows(path, choice)


def csv_rows(path: Path, choice: ColumnChoice) -> Iterator[Row]:
    """The rows of a CSV file; values that are JSON objects or arrays are taken as such, and empty ones are absent."""
    with path.open("rb") as file:
        text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
        csv.field_size_limit(MAX_ROW)
        reader = csv.reader(text, strict=True)
        header: list[str] | None = None
        while True:
            number = reader.line_num + 1
            try:
                values = next(reader, None)
            except csv.Error as error:
                yield BadRow(number, f"is not CSV ({error}): {_STOPPED}")
                return
            if values is None:
                return
            if header is None:
                header = values
                if missing := choice.missing(header):
                    yield BadRow(number, f"has no column {', '.join(missing)}: {_STOPPED}")
                    return
            elif values:
                yield _csv_row(number, header, values, choice=choice)


def json_rows(path: Path, choice: ColumnChoice) -> Iterator[Row]:
    """The rows of a file whose lines are JSON objects."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_ROW + 1):
            number += 1
            if len(line) > MAX_ROW:
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_ROW)
                yield BadRow(number, f"is longer than {MAX_ROW} bytes")
            elif line.strip():
                yield _json_row(number, line, choice)


def frame_rows(frame: Frame | Sequence[Mapping[str, Any]], choice: ColumnChoice) -> Iterator[Row]:
    """The rows of a pandas DataFrame, or of a list of dicts; what is marked as missing is absent.

    Texts that are JSON objects or arrays are taken as such, as in files: payloads of selections are such texts.
    """
    for place, row in enumerate(_records(frame)):
        try:
            yield ItemRow(place, choice.item({str(name): _value(value) for name, value in row.items()}))
        except TypeError as error:
            yield BadRow(place, str(error))


def _records(frame: Frame | Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    if isinstance(frame, Sequence):
        yield from frame
        return
    for start in range(0, len(frame), _FRAME_PORTION):
        yield from frame.iloc[start : start + _FRAME_PORTION].to_dict("records")


def _csv_row(number: int, header: list[str], values: list[str], *, choice: ColumnChoice) -> Row:
    if len(values) != len(header):
        return BadRow(number, f"has {len(values)} values for {len(header)} columns")
    if any("\ud800" <= letter <= "\udfff" for value in values for letter in value):
        return BadRow(number, "is not UTF-8")
    return ItemRow(number, choice.item(dict(zip(header, map(_cell, values), strict=True))))


def _json_row(number: int, line: bytes, choice: ColumnChoice) -> Row:
    try:
        row = json.loads(line, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        return BadRow(number, f"is not JSON: {error}")
    if not isinstance(row, dict):
        return BadRow(number, "is no JSON object")
    if missing := choice.missing(row):
        return BadRow(number, f"has no {', '.join(missing)}")
    return ItemRow(number, choice.item(row))


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _cell(text: str) -> Any:
    return _document(text) or None


def _document(text: str) -> Any:
    if text.startswith(("{", "[")):
        try:
            return json.loads(text, parse_constant=_refused)
        except (ValueError, RecursionError):
            return text
    return text


def _joined(row: Mapping[str, Any], columns: tuple[str, ...]) -> Any:
    return row[columns[0]] if len(columns) == 1 else {column: row[column] for column in columns}


def _value(value: Any) -> Any:
    return _document(value) if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> Any:
    """A value of a frame as JSON has it; raises TypeError."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if _is_missing(value):
        return None
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _is_missing(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return value is None or type(value).__name__ in {"NAType", "NaTType"}

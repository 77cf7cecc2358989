"""Rows of Arrow tables in forms that know neither lists nor maps: CSV, and JSON line by line."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa


def flat(rows: Any) -> Any:
    """The same table or batch with lists and maps as JSON texts, for which CSV has no other form."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_nested(field.type):
            values = pa.Table.from_arrays([rows.column(place)], ["value"]).to_pylist(maps_as_pydicts="lossy")
            texts = pa.array([json.dumps(each["value"], default=_plain) for each in values], pa.string())
            rows = rows.set_column(place, field.name, texts)
    return rows


def json_lines(rows: pa.Table | pa.RecordBatch) -> Iterator[str]:
    """One object for each row, with its line's end."""
    for row in rows.to_pylist(maps_as_pydicts="lossy"):
        yield json.dumps(row, default=_plain, ensure_ascii=False) + "\n"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)

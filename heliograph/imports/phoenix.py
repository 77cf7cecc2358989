"""Imports spans that Phoenix exports: a data frame in Parquet, or JSON by line, in OpenInference's attributes."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from heliograph.imports.report import ImportReport
from heliograph.imports.spans import flattened, nanoseconds, span
from heliograph.imports.target import ImportTarget, Json

_STATUS = {"OK": 1, "ERROR": 2}
_ATTRIBUTES = "attributes."
_TRACE_DIGITS, _SPAN_DIGITS = 32, 16


def import_spans(path: Path, target: ImportTarget, report: ImportReport) -> None:
    """Send every span of a file; raises what the connection does, and may be repeated."""
    target.spans("phoenix", _spans(path, report))


def _spans(path: Path, report: ImportReport) -> Iterator[Json]:
    for number, row in enumerate(_rows(path)):
        report.see("spans")
        try:
            yield _span(row)
        except (KeyError, TypeError, ValueError) as error:
            report.refuse("spans", str(row.get("context.span_id") or number), f"cannot be read: {error!r}")


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    if path.suffix == ".parquet":
        from pyarrow import parquet  # noqa: PLC0415 - the other formats do without

        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(1_000):
                yield from batch.to_pylist()
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _span(row: Mapping[str, Any]) -> Json:
    flat = flattened(_present(row))
    attributes = {
        key.removeprefix("attributes."): value for key, value in flat.items() if key.startswith("attributes.")
    }
    kind = row.get("span_kind")
    if kind and kind != "UNKNOWN":
        attributes.setdefault("openinference.span.kind", kind)
    start = nanoseconds(row["start_time"])
    if start is None:
        raise ValueError("no start")
    ids = (
        _hexadecimal(flat["context.trace_id"], _TRACE_DIGITS),
        _hexadecimal(flat["context.span_id"], _SPAN_DIGITS),
        _hexadecimal(row["parent_id"], _SPAN_DIGITS) if row.get("parent_id") else "",
    )
    status = {"code": _STATUS.get(str(row.get("status_code") or ""), 0), "message": row.get("status_message") or ""}
    times = (start, nanoseconds(row.get("end_time")))
    return span(ids, str(row.get("name") or ""), times, attributes=attributes, status=status)


def _present(row: Mapping[str, Any]) -> dict[str, Any]:
    """Without what a data frame fills where a span has nothing, and with the whole numbers that it made of floats."""
    return {key: _whole(value) for key, value in row.items() if value is not None and value == value}  # noqa: PLR0124 - NaN


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _hexadecimal(text: str, digits: int) -> str:
    if len(text) != digits:
        raise ValueError(text)
    return bytes.fromhex(text).hex()

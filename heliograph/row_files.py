"""Rows as files of a format: written as they come, none held whole."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from heliograph.flat_rows import flat, json_lines

Batches = Iterable[pa.RecordBatch]


def _parquet(batches: Batches, schema: pa.Schema, to: Path) -> int:
    from pyarrow import parquet  # noqa: PLC0415 - a tenth of a second that most commands do without

    with parquet.ParquetWriter(to, schema, compression="zstd") as writer:
        return sum(_written(writer, batch) for batch in batches)


def _csv(batches: Batches, schema: pa.Schema, to: Path) -> int:
    from pyarrow import csv  # noqa: PLC0415 - as above

    with csv.CSVWriter(to, flat(schema.empty_table()).schema) as writer:
        return sum(_written(writer, flat(batch)) for batch in batches)


def _jsonl(batches: Batches, schema: pa.Schema, to: Path) -> int:
    del schema
    rows = 0
    with to.open("w", encoding="utf-8") as file:
        for batch in batches:
            file.writelines(json_lines(batch))
            rows += batch.num_rows
    return rows


def _json(batches: Batches, schema: pa.Schema, to: Path) -> int:
    del schema
    rows = 0
    with to.open("w", encoding="utf-8") as file:
        file.write("[")
        for batch in batches:
            for line in json_lines(batch):
                file.write((",\n" if rows else "\n") + line.rstrip("\n"))
                rows += 1
        file.write("\n]\n")
    return rows


# By the ending of the file's name: writes all batches and returns how many rows they had.
WRITERS: Mapping[str, Callable[[Batches, pa.Schema, Path], int]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".json": _json,
}


def _written(writer: Any, batch: Any) -> int:
    writer.write(batch)
    return int(batch.num_rows)

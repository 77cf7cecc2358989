"""Bulk inserts into ClickHouse: one Arrow stream for each table, by the lanes alone."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError, Error
from urllib3.exceptions import HTTPError

from heliograph.domain.errors import QueryTooExpensive, RowsRefused, Unavailable
from heliograph.measures import Distribution
from storage.clickhouse.deferred import DeferredClient

RETRY_AFTER_SECONDS = 1.0
# No deduplication token: a re-merged batch under an old token would be dropped silently. Rows repeat harmlessly.
# Text indexes are left to the merges, which build them in any case: it spares an insert a quarter of its CPU, and a
# search reads the few parts that are not merged yet.
INSERT_SETTINGS: Mapping[str, int | str] = {
    "insert_deduplicate": 0,
    "async_insert": 0,
    # A lane's rows differ in their keys already: looking for repetitions among them takes half of an insert's time.
    "optimize_on_insert": 0,
    "input_format_parallel_parsing": 0,
    # Clocks may be wrong by years: many months in one insert are no reason to refuse it.
    "max_partitions_per_insert_block": 0,
    "exclude_materialize_skip_indexes_on_insert": "input_text,output_text",
}
# The values are at fault, not the server: CANNOT_PARSE_TEXT, SIZES_OF_COLUMNS_DOESNT_MATCH, CANNOT_PARSE_INPUT,
# CANNOT_PARSE_DATE, CANNOT_PARSE_DATETIME, TYPE_MISMATCH, ARGUMENT_OUT_OF_BOUND, CANNOT_CONVERT_TYPE, INCORRECT_DATA,
# TOO_LARGE_ARRAY_SIZE, TOO_LARGE_STRING_SIZE, VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE, CANNOT_INSERT_NULL, DECIMAL_OVERFLOW
_REFUSED = {6, 9, 27, 38, 41, 53, 69, 70, 117, 128, 131, 321, 349, 407}
_IPC = pa.ipc.IpcWriteOptions(compression="lz4")


_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ROWS = (1.0, 10.0, 50.0, 100.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0, 20_000.0)


@dataclass
class InsertMeter:
    """What the inserts of one writer have cost so far."""

    rows: int = 0
    inserts: int = 0
    failures: int = 0
    seconds: float = 0.0
    durations: Distribution = field(default_factory=lambda: Distribution(_SECONDS))
    sizes: Distribution = field(default_factory=lambda: Distribution(_ROWS))
    last_error: str = field(default="", repr=False)


class Writer:
    """Inserts Arrow tables. Blocking: call it from a thread."""

    def __init__(self, client: DeferredClient) -> None:
        self._client = client
        self.meter = InsertMeter()

    def insert(self, table: str, rows: pa.Table) -> None:
        """Insert all rows; when this returns they are on disk and every read sees them.

        Raises:
            Unavailable: ClickHouse did not confirm; the rows may be there in part, and may be inserted again.
            RowsRefused: ClickHouse cannot store these rows, nor will it later.
        """
        if rows.num_rows == 0:
            return
        started = time.monotonic()
        try:
            stream = arrow_stream(rows)
            self._client.get().raw_insert(
                table, rows.column_names, stream, settings=dict(INSERT_SETTINGS), fmt="ArrowStream"
            )
        except (ClickHouseError, HTTPError, OSError, QueryTooExpensive) as error:
            self.meter.failures += 1
            self.meter.last_error = str(error)[:500]
            if isinstance(error, Error) and error.code in _REFUSED:
                raise RowsRefused(table, self.meter.last_error) from error
            raise Unavailable("ClickHouse", RETRY_AFTER_SECONDS) from error
        self.meter.rows += rows.num_rows
        self.meter.inserts += 1
        seconds = time.monotonic() - started
        self.meter.seconds += seconds
        self.meter.durations.observe(seconds)
        self.meter.sizes.observe(rows.num_rows)


def arrow_stream(rows: pa.Table) -> bytes:
    """The rows in the format `ArrowStream`, compressed."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=_IPC) as stream:
        stream.write_table(rows.combine_chunks())
    data: bytes = sink.getvalue().to_pybytes()
    return data

"""The ceiling of ingestion: `insert_arrow` of the same rows into the same table with its indexes, over HTTP, alone."""

import time
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from heliograph.domain import tables
from heliograph.domain.events import IngestionFacts
from heliograph.domain.identifiers import ProjectId
from ingestion import otlp
from ingestion.pricing import managed_prices
from tests.benchmarks.load import Template
from tests.benchmarks.stack import Stack

ROWS_PER_INSERT = 20_000
_TABLE = "observations_ceiling"


def rows_of(template: Template, project_id: str) -> pa.Table:
    """A copy of the template's spans as rows of `observations`, as a lane would insert them."""
    context = otlp.MappingContext(
        project_id=ProjectId(project_id),
        facts=IngestionFacts(sdk_name="python"),
        received_at=datetime.now(UTC),
        prices=managed_prices(),
    )
    batch = otlp.map_export(otlp.decode(template.copy(), "application/x-protobuf"), context).batch
    rows = batch.observations
    starts = rows["start_time"]
    versions = pa.array(np.arange(rows.num_rows, dtype=np.uint64))
    rows = rows.drop_columns(["record"])
    for name, column in zip(tables.LANE_COLUMNS, (starts, starts, starts, versions), strict=True):
        rows = rows.append_column(name, column)
    return rows.cast(tables.OBSERVATIONS)


def measure(stack: Stack, templates: list[Template], rows: int) -> float:
    """Rows a second of sequential inserts, with nothing else running."""
    stack.clickhouse.command(f"DROP TABLE IF EXISTS {_TABLE}")
    stack.clickhouse.command(f"CREATE TABLE {_TABLE} AS observations")
    inserted, seconds = 0, 0.0
    number = 0
    while inserted < rows:
        parts: list[pa.Table] = []
        while sum(part.num_rows for part in parts) < ROWS_PER_INSERT:
            parts.append(rows_of(templates[number % len(templates)], stack.project_id))
            number += 1
        block = pa.concat_tables(parts).combine_chunks()
        started = time.monotonic()
        stack.clickhouse.insert_arrow(_TABLE, block)
        seconds += time.monotonic() - started
        inserted += block.num_rows
    stack.clickhouse.command(f"DROP TABLE {_TABLE}")
    return inserted / seconds

"""Export: selected rows as files in the object store, one for each part of a day, and a manifest of them all."""

import asyncio
import hashlib
import json
import tempfile
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from heliograph.domain.backfills import Backfill, DayPart, PartReport
from heliograph.domain.errors import Unavailable
from heliograph.domain.exports import MANIFEST, ExportRequest, manifest_of
from heliograph.row_files import WRITERS
from heliograph.settings import Settings
from pipelines.backfill import Reports, Step, Work
from pipelines.worker_clients import clickhouse, object_store
from storage.clickhouse.day_parts import AWAY, RETRY_AFTER_SECONDS, DayParts
from storage.clickhouse.selections import selection_query
from storage.objects.exports import ExportObjects
from storage.postgres.backfills import Backfills
from storage.postgres.connection import opened

_ROWS_PER_PART = 100_000
# Of a day's rows, which an analysis may want for hours.
_MAX_SECONDS = 3_600


async def write(settings: Settings, backfill: Backfill, number: int) -> None:
    """Write one part to its file, and note that; repeated, it replaces the file."""
    report = await asyncio.to_thread(_written, settings, backfill, number)
    async with opened(settings.postgres_dsn) as database:
        await Backfills(database).found(backfill.id, number, report)
        await Backfills(database).stored(backfill.id, number, {})


async def conclude(settings: Settings, backfill: Backfill, reports: Reports) -> None:
    """Write the manifest, with which the export is whole."""
    text = json.dumps(manifest_of(backfill, reports).to_json(), indent=2)
    await asyncio.to_thread(_objects(settings).put_text, backfill.project_id, backfill.id, name=MANIFEST, text=text)


def _cut(settings: Settings, backfill: Backfill) -> list[DayPart]:
    asked = ExportRequest.model_validate(backfill.asked)
    parts = DayParts(clickhouse(settings), backfill.project_id, asked.table.value)
    return parts.cut(asked.since, asked.until, _ROWS_PER_PART)


def _is_written(report: PartReport) -> bool:
    return report.stored is not None


WORK = Work(_cut, (Step(write, _is_written),), conclude)


def _written(settings: Settings, backfill: Backfill, number: int) -> dict[str, Any]:
    asked, part = ExportRequest.model_validate(backfill.asked), (backfill.parts or ())[number]
    name = f"{asked.table.value}/day={part.day}/part-{number:05}.{asked.format.value}"
    sql, values = selection_query(asked.table, asked, backfill.project_id, part=part)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "part"
        try:
            stream = (
                clickhouse(settings)
                .get()
                .query_arrow_stream(sql, parameters=values, settings={"max_execution_time": _MAX_SECONDS})
            )
            with stream as batches:
                first = next(iter(batches), None)
                schema = first.schema if first is not None else pa.schema([])
                write_rows = WRITERS[f".{asked.format.value}"]
                rows = write_rows(chain([first], batches), schema, file) if first is not None else 0
        except AWAY as error:
            raise Unavailable("ClickHouse", RETRY_AFTER_SECONDS) from error
        # Pairs: PostgreSQL keeps no order of keys.
        columns = [[field.name, str(field.type)] for field in schema]
        if not rows:
            return {"columns": columns, "file": {"name": name, "rows": 0, "bytes": 0, "sha256": ""}}
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        _objects(settings).put(backfill.project_id, backfill.id, name=name, content=file)
        exported = {"name": name, "rows": rows, "bytes": file.stat().st_size, "sha256": digest}
        return {"columns": columns, "file": exported}


def _objects(settings: Settings) -> ExportObjects:
    client = object_store(settings)
    return ExportObjects(client, client, settings.s3.bucket)

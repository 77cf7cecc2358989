"""Blob exports: what changed in a project since the last time as files in its owner's bucket."""

import asyncio
import gzip
import hashlib
import json
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from actors import directory
from heliograph import telemetry
from heliograph.domain.blob_storage import (
    LAG,
    BlobStorageIntegration,
    ExportedTable,
    FileType,
    OpenedBlobStorageIntegration,
    Period,
    exported_tables,
    next_period,
)
from heliograph.domain.errors import HeliographError
from heliograph.domain.not_found import BlobStorageIntegrationNotFound
from heliograph.outbound import CallFailed, Outbound
from heliograph.row_files import WRITERS
from heliograph.settings import Settings
from pipelines.worker_clients import clickhouse
from storage.clickhouse.changed_rows import ChangedRows
from storage.objects.tenant_bucket import TenantBucket
from storage.postgres.blob_storage import BlobStorageSyncs
from storage.postgres.connection import opened
from storage.seal import Seal

EVERY_SECONDS = 60.0
ROWS_PER_FILE = 500_000
# A failure is no reason to wait for a week.
_TRIED_AGAIN_AFTER = timedelta(minutes=20)
# What the clocks of two machines may differ by.
_CLOCKS = timedelta(minutes=1)
_log = telemetry.logger("blob_exports")


async def export_to_buckets(settings: Settings) -> int | None:
    """Write what is due of every integration; returns how many were written, or None. Raises Unavailable."""
    outbound = Outbound(settings.outbound.allowed_networks)
    seal = Seal(settings.encryption_key, settings.former_encryption_keys)
    try:
        async with opened(settings.postgres_dsn) as database:
            exports = BlobExports(settings, BlobStorageSyncs(database, seal), outbound, waiting=_waiting(settings))
            return await exports.run() or None
    finally:
        await outbound.close()


def _waiting(settings: Settings) -> Callable[[], Awaitable[timedelta]]:
    async def waiting() -> timedelta:
        statuses = await directory.lane_statuses(settings)
        return timedelta(seconds=max((one["oldest_unflushed_seconds"] for one in statuses), default=0.0))

    return waiting


def _now() -> datetime:
    return datetime.now(UTC)


class BlobExports:
    """Writes what is due. It may be killed at any moment: a period that was not finished is written again.

    Args:
        settings: of the running stack.
        syncs: which integrations there are, and how far each has come.
        outbound: through which buckets are reached.
        waiting: for how long the oldest event that is acknowledged has waited for its row.
        clock: the time.
        rows_per_file: how many rows a file has at most, give or take a batch.
    """

    def __init__(
        self,
        settings: Settings,
        syncs: BlobStorageSyncs,
        outbound: Outbound,
        *,
        waiting: Callable[[], Awaitable[timedelta]],
        clock: Callable[[], datetime] = _now,
        rows_per_file: int = ROWS_PER_FILE,
    ) -> None:
        self._settings = settings
        self._syncs = syncs
        self._outbound = outbound
        self._waiting = waiting
        self._clock = clock
        self._rows_per_file = rows_per_file

    async def run(self) -> int:
        """Write every integration that is due; one whose bucket fails costs no other. Returns how many were written."""
        written = 0
        for due in await self._syncs.due(self._clock()):
            frequency = due.export.frequency
            try:
                await self._sync(due)
            except BlobStorageIntegrationNotFound:
                continue
            except (CallFailed, HeliographError, ValueError) as error:
                now = self._clock()
                again = now + min(frequency.period, _TRIED_AGAIN_AFTER)
                await self._syncs.fail(due.id, str(error), now, next_at=again)
                _log.warning("blob_export_failed", project_id=due.project_id, reason=str(error))
            else:
                await self._syncs.end(due.id, self._clock() + frequency.period)
                written += 1
        return written

    async def _sync(self, due: BlobStorageIntegration) -> None:
        await self._syncs.begin(due.id, self._clock())
        rows = ChangedRows(clickhouse(self._settings), due.project_id)
        after = due.progress.last_sync_at or await asyncio.to_thread(_beginning, rows, due)
        settled = self._clock() - max(LAG, await self._waiting() + _CLOCKS)
        while after is not None and (period := next_period(due.export.frequency, after, settled)):
            # Whoever has changed his mind meanwhile is heard.
            opened_now = await self._syncs.opened(due.id)
            if not opened_now.integration.enabled:
                return
            await self._write(opened_now, rows, period)
            await self._syncs.advance(due.id, period.until)
            after = period.until

    async def _write(self, opened_now: OpenedBlobStorageIntegration, rows: ChangedRows, period: Period) -> None:
        integration = opened_now.integration
        bucket = TenantBucket(opened_now, self._outbound)
        written: list[dict[str, Any]] = []
        with tempfile.TemporaryDirectory() as folder:
            for wanted in exported_tables(integration.export.source, integration.export.field_groups):
                files = _files(
                    Path(folder), rows, wanted, period=period, integration=integration, at_most=self._rows_per_file
                )
                while (file := await asyncio.to_thread(next, files, None)) is not None:
                    path, count = file
                    name = f"{integration.project_id}/{wanted.folder}/{path.name}"
                    measured = await asyncio.to_thread(_measured, path)
                    await bucket.put(name, path, measured["bytes"])
                    written.append({"name": name, "rows": count, **measured})
                    path.unlink()
            if written:
                manifest = Path(folder) / f"{period.stamp}.json"
                size = manifest.write_text(json.dumps(_manifest(period, written), indent=2))
                await bucket.put(f"{integration.project_id}/manifests/{manifest.name}", manifest, size)


def _beginning(rows: ChangedRows, integration: BlobStorageIntegration) -> datetime | None:
    """Just before the earliest change that is to be written; None when there is none yet."""
    export = integration.export
    tables = {wanted.table for wanted in exported_tables(export.source, export.field_groups)}
    found = [rows.first(table, integration.starts_at) for table in sorted(tables)]
    first = min((one for one in found if one is not None), default=None)
    return None if first is None else first - timedelta(microseconds=1)


def _files(
    folder: Path,
    rows: ChangedRows,
    wanted: ExportedTable,
    *,
    period: Period,
    integration: BlobStorageIntegration,
    at_most: int,
) -> Iterator[tuple[Path, int]]:
    """Write the rows of a table to files, one after the other as they are asked for, with the rows of each."""
    export = integration.export
    ending = f".{export.file_type.value.lower()}"
    is_compressed = export.compressed and export.file_type is not FileType.PARQUET
    with rows.stream(wanted, period, integration.starts_at) as batches:
        number = 1
        while (first := next(batches, None)) is not None:
            path = folder / f"{period.stamp}{f'-{number}' if number > 1 else ''}{ending}"
            count = WRITERS[ending](chain([first], _until(batches, at_most - first.num_rows)), first.schema, path)
            number += 1
            if count:
                yield (_compressed(path) if is_compressed else path), count


def _until(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    while rows > 0 and (batch := next(batches, None)) is not None:
        rows -= batch.num_rows
        yield batch


def _compressed(path: Path) -> Path:
    compressed = path.with_name(f"{path.name}.gz")
    with path.open("rb") as plain, gzip.open(compressed, "wb", compresslevel=5) as to:
        shutil.copyfileobj(plain, to, 1 << 20)
    path.unlink()
    return compressed


def _measured(path: Path) -> dict[str, Any]:
    with path.open("rb") as content:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(content, "sha256").hexdigest()}


def _manifest(period: Period, files: list[dict[str, Any]]) -> dict[str, Any]:
    return {"after": period.after.isoformat(), "until": period.until.isoformat(), "files": files}

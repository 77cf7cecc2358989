"""Exports that are no longer kept: their files are removed, then what is known of them."""

import asyncio
from datetime import UTC, datetime, timedelta

from heliograph.domain.backfills import BackfillKind
from heliograph.settings import Settings
from storage.objects.exports import ExportObjects
from storage.postgres.backfills import Backfills
from storage.postgres.connection import opened

EVERY_SECONDS = 300.0
# Long enough to fetch them; they are copies, which deletions do not reach.
KEPT = timedelta(days=7)


async def remove_expired_exports(settings: Settings, kept: timedelta = KEPT) -> int:
    """Remove every export that was made so long ago, and those of ended projects; returns how many.

    Raises:
        Unavailable: a store is away; whatever is left is removed by the next call.
    """
    objects = ExportObjects.connect(settings)
    async with opened(settings.postgres_dsn) as database:
        backfills = Backfills(database)
        expired = await backfills.expired(BackfillKind.EXPORT, datetime.now(UTC) - kept)
        for export in expired:
            await asyncio.to_thread(objects.delete, export.project_id, export.id)
            await backfills.remove(export.id)
    return len(expired)

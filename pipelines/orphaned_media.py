"""Files that nothing refers to any more: their objects are removed, then what is known of them."""

import asyncio
from collections.abc import Sequence

from heliograph.domain.identifiers import ProjectId
from heliograph.settings import Settings
from storage.objects.media import MediaObjects
from storage.postgres.connection import opened
from storage.postgres.media import AllMedia

EVERY_SECONDS = 60.0


async def remove_orphaned_media(settings: Settings) -> int:
    """Remove every file that deletions have left without a reference; returns how many. Raises Unavailable."""
    objects = MediaObjects.connect(settings)

    async def remove(files: Sequence[tuple[ProjectId, str]]) -> None:
        await asyncio.to_thread(objects.delete, files)

    removed = 0
    async with opened(settings.postgres_dsn) as database:
        media = AllMedia(database)
        while count := await media.remove_orphans(remove):
            removed += count
    return removed

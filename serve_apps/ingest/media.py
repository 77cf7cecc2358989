"""Media on their way in: taken out of what arrives, and stored before it is acknowledged."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from heliograph import telemetry
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.media import MediaContent
from ingestion import media, otlp
from ingestion.batch.events import Event
from ingestion.media import Extraction
from serve_apps.ingest.dependencies import MediaStore
from serve_apps.ingest.in_parts import InParts
from storage.objects.media import MediaObjects
from storage.postgres.connection import Database
from storage.postgres.media import ProjectMedia

_log = telemetry.logger("media")

_UPLOADED = 200
_UPLOADS_AT_ONCE = 4
# What is decoded at once of a request: a part of a few spans, or one span with a large file.
_PART_SPANS, _PART_EVENTS = 20, 20


class KeptMedia:
    """Keeps media in the object store, and what refers to them in PostgreSQL."""

    def __init__(self, database: Database, objects: MediaObjects) -> None:
        self._database = database
        self._objects = objects
        self._threads = ThreadPoolExecutor(_UPLOADS_AT_ONCE, thread_name_prefix="media")

    async def keep(self, project_id: ProjectId, extraction: Extraction) -> bool:
        """See MediaStore.keep."""
        known = ProjectMedia(self._database, project_id)
        described = [found.described for found in extraction.contents.values()]
        # What refers to a file is noted before the file is stored: a crash in between leaves nothing that no
        # deletion finds. PostgreSQL is no condition for events, so that without it they keep their content.
        try:
            missing = await known.refer(described, extraction.uses)
            if missing:
                await self._put(project_id, [extraction.contents[one.id] for one in missing])
                await known.note_upload([one.id for one in missing], _UPLOADED)
        except Unavailable as error:
            if error.service != "PostgreSQL":
                raise
            _log.warning("media_left_in_place", project_id=project_id, count=len(described))
            return False
        return True

    async def _put(self, project_id: ProjectId, contents: Sequence[MediaContent]) -> None:
        loop = asyncio.get_running_loop()
        puts = [loop.run_in_executor(self._threads, self._objects.put, project_id, content) for content in contents]
        await asyncio.gather(*puts)


class MediaExtraction:
    """Replaces media in requests by references to what was stored.

    Args:
        store: where media go.
        in_parts: where they are decoded.
        inline_bytes: up to this size a request is searched on the loop.
    """

    def __init__(self, store: MediaStore, in_parts: InParts, inline_bytes: int) -> None:
        self._store = store
        self._in_parts = in_parts
        self._inline_bytes = inline_bytes

    async def of_export(
        self, body: bytes, export: otlp.ExportTraceServiceRequest, project_id: ProjectId
    ) -> otlp.ExportTraceServiceRequest:
        """The export that is in the body, with references. Raises Unavailable when a file cannot be stored."""
        if not await self._may_hold(body):
            return export
        scopes: list[otlp.ScopeOfSpans] = []
        for part in otlp.slices(export, _PART_SPANS):
            extraction = Extraction()
            replaced = await self._in_parts.work(partial(extraction.export, part))
            scopes += (replaced if await self._is_kept(project_id, extraction) else part).scopes
        return otlp.ExportTraceServiceRequest(scopes, export.first)

    async def of_events(self, body: bytes, events: list[Event], project_id: ProjectId) -> list[Event]:
        """The events that are in the body, with references. Raises Unavailable when a file cannot be stored."""
        if not await self._may_hold(body):
            return events
        found: list[Event] = []
        for part in _parts(events):
            extraction = Extraction()
            replaced = await self._in_parts.work(partial(extraction.events, part))
            found += replaced if await self._is_kept(project_id, extraction) else part
        return found

    async def _may_hold(self, body: bytes) -> bool:
        if len(body) <= self._inline_bytes:
            return media.may_hold(body)
        return await self._in_parts.work(partial(media.may_hold, body))

    async def _is_kept(self, project_id: ProjectId, extraction: Extraction) -> bool:
        return not extraction.contents or await self._store.keep(project_id, extraction)


def _parts(events: list[Event]) -> Iterator[list[Event]]:
    for start in range(0, len(events), _PART_EVENTS):
        yield events[start : start + _PART_EVENTS]

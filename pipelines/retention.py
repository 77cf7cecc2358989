"""Retention: what is older than its project keeps is asked to be deleted, as a person would, slice by slice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from actors import directory
from heliograph import telemetry
from heliograph.domain.audit import Actor, ActorType, act_as
from heliograph.domain.deletions import DeletionState, SubjectType
from heliograph.domain.errors import Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.retention import Expired
from heliograph.settings import Settings
from pipelines.ended_projects import Asking
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.expired import ExpiredRows
from storage.postgres.connection import Database, opened
from storage.postgres.deletions import Deletions
from storage.postgres.media import AllMedia
from storage.postgres.retentions import Retentions

# A slice is one request to delete, and one flush of a lane, which other projects wait for.
SLICE = 2_000
_SLICES_AT_ONCE = 100
_ASKING_EVERY_SECONDS = 0.2
_PATIENCE_SECONDS = 60.0
_log = telemetry.logger("retention")

Search = Callable[[datetime, int], Awaitable[Sequence[str]]]


def _now() -> datetime:
    return datetime.now(UTC)


async def enforce_retention(settings: Settings) -> int | None:
    """Delete what is too old in every project; returns in how many something was, or None. Raises Unavailable."""
    act_as(Actor(ActorType.SYSTEM, name="retention"))
    clickhouse = ClickHouse(settings.clickhouse, settings.clickhouse_url)
    try:
        async with opened(settings.postgres_dsn) as database:
            requests = directory.deletion_requests(settings, database)
            return await RetentionEnforcement(database, clickhouse, requests).run() or None
    finally:
        await clickhouse.close()


class RetentionEnforcement:
    """Deletes what is too old. It may be killed at any moment: what is still stored is found again.

    Args:
        database: where projects say how long they keep what they were sent.
        clickhouse: where what is too old is found.
        requests: where it is asked to be deleted.
        clock: the time.
        slice_size: how many subjects one request names.
    """

    def __init__(
        self,
        database: Database,
        clickhouse: ClickHouse,
        requests: Asking,
        *,
        clock: Callable[[], datetime] = _now,
        slice_size: int = SLICE,
    ) -> None:
        self._retentions = Retentions(database)
        self._deletions = Deletions(database)
        self._media = AllMedia(database)
        self._clickhouse = clickhouse
        self._requests = requests
        self._clock = clock
        self._slice_size = slice_size

    async def run(self) -> int:
        """Enforce every project's retention; a project that cannot be served now costs no other."""
        deleted = 0
        for state in await self._retentions.states():
            try:
                deleted += bool(await self._enforce(state.project_id))
            except Unavailable as error:
                _log.warning("retention_waits", project_id=state.project_id, reason=str(error))
        return deleted

    async def _enforce(self, project_id: ProjectId) -> Expired:
        now = self._clock()
        rows = ExpiredRows(self._clickhouse, project_id)
        expired = Expired()
        try:
            async for count in self._deleted(project_id, SubjectType.TRACE, rows.traces, now=now):
                expired += Expired(traces=count)
            # Those of traces are gone with them: what is left belongs to traces that go on, to sessions and to runs.
            async for count in self._deleted(project_id, SubjectType.SCORE, rows.scores, now=now):
                expired += Expired(scores=count)
            if cutoff := await self._cutoff(project_id, now):
                expired += Expired(media=await self._media.expire(project_id, cutoff))
        finally:
            # What was deleted until a lane was away is told as well.
            if cutoff := await self._cutoff(project_id, now):
                await self._retentions.note(project_id, cutoff, expired)
        return expired

    async def _deleted(
        self, project_id: ProjectId, kind: SubjectType, search: Search, *, now: datetime
    ) -> AsyncIterator[int]:
        """How many each slice had, until nothing is left. Raises Unavailable."""
        for _ in range(_SLICES_AT_ONCE):
            # Whoever keeps more from now on has changed his mind about what is not deleted yet.
            cutoff = await self._cutoff(project_id, now)
            found = await search(cutoff, self._slice_size) if cutoff else ()
            if not found:
                break
            asked = await self._requests.accept(project_id, kind, found, requested_by="retention")
            await self._until_done(asked.id)
            yield len(found)

    async def _cutoff(self, project_id: ProjectId, now: datetime) -> datetime | None:
        days = await self._retentions.days(project_id)
        return now - timedelta(days=days) if days else None

    async def _until_done(self, deletion_id: str) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while True:
                    if (await self._deletions.get(deletion_id)).state is DeletionState.DONE:
                        return
                    await asyncio.sleep(_ASKING_EVERY_SECONDS)
        except TimeoutError as error:
            raise Unavailable("The ingestion lane", _PATIENCE_SECONDS) from error

"""Projects that were ended: their events are deleted, then what PostgreSQL holds of them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from actors import directory
from heliograph.domain.deletions import Deletion, DeletionState, SubjectType
from heliograph.domain.identifiers import ProjectId
from heliograph.settings import Settings
from pipelines.expired_exports import remove_expired_exports
from storage.postgres.connection import Database, opened
from storage.postgres.deletions import Deletions
from storage.postgres.projects import Projects

EVERY_SECONDS = 30.0
# What a replica accepts with a key that it still remembers must lie before the tombstone.
_KEYS_FORGOTTEN_AFTER = timedelta(seconds=10)
# A request whose tombstones were not appended, as in a crash, is never done: it is asked again.
_ASKED_AGAIN_AFTER = timedelta(minutes=10)


class Asking(Protocol):
    """Where requests to delete go; see `DeletionRequests`."""

    async def accept(
        self, project_id: ProjectId, subject_type: SubjectType, subjects: Sequence[str], *, requested_by: str
    ) -> Deletion:
        """Return when the tombstones are durable."""
        ...


def _now() -> datetime:
    return datetime.now(UTC)


async def remove_ended_projects(settings: Settings) -> int:
    """Take every project that was ended a step further; returns how many are gone. Raises Unavailable."""
    # Once a project is removed, nothing knows of its files.
    await remove_expired_exports(settings)
    async with opened(settings.postgres_dsn) as database:
        return await EndedProjects(database, directory.deletion_requests(settings, database)).advance()


class EndedProjects:
    """The projects that are marked as deleted.

    Args:
        database: where they are marked.
        requests: where their events are asked to be deleted.
        clock: the time.
    """

    def __init__(self, database: Database, requests: Asking, clock: Callable[[], datetime] = _now) -> None:
        self._projects = Projects(database)
        self._deletions = Deletions(database)
        self._requests = requests
        self._clock = clock

    async def advance(self) -> int:
        """Ask for what was not asked for, remove what every lane has deleted; returns how many were removed."""
        removed = 0
        for project_id, ended_at in await self._projects.ended():
            asked = await self._deletions.of_project(project_id)
            if asked is not None and asked.state is DeletionState.DONE:
                await self._projects.remove(project_id)
                removed += 1
            elif self._is_due(ended_at, asked):
                await self._requests.accept(
                    project_id, SubjectType.PROJECT, [project_id], requested_by="end of the project"
                )
        return removed

    def _is_due(self, ended_at: datetime, asked: Deletion | None) -> bool:
        if asked is None:
            return self._clock() - ended_at >= _KEYS_FORGOTTEN_AFTER
        return self._clock() - asked.requested_at >= _ASKED_AGAIN_AFTER

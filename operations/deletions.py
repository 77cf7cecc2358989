"""Deletions as the commands ask for them, wait for them and list them."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from typing import TypeVar

from heliograph.domain.access import Project
from heliograph.domain.deletions import Deletion, DeletionState, SubjectType
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import ProjectNotFound
from heliograph.settings import Settings
from operations import processes
from operations.errors import DeletionPending, ProjectNotNamed, StepFailed
from operations.ray_cluster import ray_environment
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database, opened
from storage.postgres.deletions import Deletions
from storage.postgres.key_cache import FRESH_SECONDS
from storage.postgres.projects import Projects

_T = TypeVar("_T")
_ASKING_EVERY_SECONDS = 0.2


def project_of(settings: Settings, name_or_id: str) -> Project:
    """The project of that name or id, or the only one there is; raises ProjectNotFound, ProjectNotNamed."""

    async def finding(database: Database) -> Project:
        projects = Projects(database)
        if name_or_id:
            return await projects.named(name_or_id)
        oldest = await projects.oldest()
        if oldest is None:
            raise ProjectNotFound(ProjectId(""))
        if len(await projects.list_of(oldest.organization_id)) > 1:
            raise ProjectNotNamed
        return oldest

    return _run(settings, finding)


def end_keys(settings: Settings, project_id: ProjectId, wait: Callable[[float], None]) -> int:
    """Revoke every key of a project, and wait until no replica knows one any more; returns how many they were."""

    async def ending(database: Database) -> int:
        keys = ApiKeys(database, settings.pepper)
        living = await keys.public_keys_of(project_id)
        for public_key in living:
            await keys.revoke(public_key)
        return len(living)

    ended = _run(settings, ending)
    # What a replica accepts with a key that it still remembers must lie before the tombstone.
    wait(FRESH_SECONDS + 1)
    return ended


def ask(settings: Settings, project_id: ProjectId, subject_type: SubjectType, *, subject: str) -> str:
    """Have the tombstones appended; returns the deletion's id. Raises StepFailed."""
    module = processes.python("operations.deletion_request", project_id, subject_type.value, subject)
    command = processes.with_environment(module, ray_environment(settings))
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise StepFailed("The request to delete", lines[-1] if lines else f"it ended with code {done.returncode}")
    return done.stdout.strip().splitlines()[-1]


def outcome(settings: Settings, deletion_id: str, *, wait_seconds: float) -> Deletion:
    """Wait for every lane; raises DeletionPending when one takes longer."""

    async def waiting(database: Database) -> Deletion:
        deletions = Deletions(database)
        try:
            async with asyncio.timeout(wait_seconds):
                while True:
                    found = await deletions.get(deletion_id)
                    if found.state is DeletionState.DONE:
                        return found
                    await asyncio.sleep(_ASKING_EVERY_SECONDS)
        except TimeoutError:
            raise DeletionPending(deletion_id, wait_seconds) from None

    return _run(settings, waiting)


def remove_project(settings: Settings, project_id: ProjectId) -> None:
    """Remove a project whose events are deleted, with all that PostgreSQL holds of it."""
    _run(settings, lambda database: Projects(database).remove(project_id))


def latest(settings: Settings, limit: int) -> list[Deletion]:
    """The deletions asked for last."""
    return _run(settings, lambda database: Deletions(database).latest(limit))


def _run(settings: Settings, call: Callable[[Database], Awaitable[_T]]) -> _T:
    async def calling() -> _T:
        async with opened(settings.postgres_dsn) as database:
            return await call(database)

    return asyncio.run(calling())

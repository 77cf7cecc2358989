"""Limits of projects as the commands show and set them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from heliograph.domain.errors import ProjectNotFound
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.limits import ProjectLimits, Usage
from heliograph.settings import Settings
from storage.postgres.connection import Database
from storage.postgres.limits import EventCounts, LimitsOfProjects
from storage.postgres.projects import Projects

Change = Callable[[ProjectLimits], ProjectLimits]


def of_project(settings: Settings, project: str) -> tuple[ProjectLimits, Usage]:
    """The limits of the project of that name or id, and what it has sent; raises ProjectNotFound."""
    return asyncio.run(_of_project(settings, project))


def change(settings: Settings, project: str, changed: Change) -> ProjectLimits:
    """Change the limits of the project of that name or id; raises ProjectNotFound."""
    return asyncio.run(_change(settings, project, changed))


async def _of_project(settings: Settings, project: str) -> tuple[ProjectLimits, Usage]:
    async with _database(settings) as database:
        project_id = await _id_of(database, project)
        usage = await EventCounts(database).of([project_id], datetime.now(UTC).date())
        return await LimitsOfProjects(database).of(project_id), usage.get(project_id, Usage())


async def _change(settings: Settings, project: str, changed: Change) -> ProjectLimits:
    async with _database(settings) as database:
        project_id = await _id_of(database, project)
        limits = changed(await LimitsOfProjects(database).of(project_id))
        await LimitsOfProjects(database).set(project_id, limits)
        return limits


async def _id_of(database: Database, project: str) -> ProjectId:
    projects = Projects(database)
    named = await projects.by_name(project)
    if named is not None:
        return named.id
    try:
        return (await projects.get(ProjectId(project))).id
    except ProjectNotFound:
        raise ProjectNotFound(project) from None


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.postgres_dsn)
    try:
        yield database
    finally:
        await database.close()

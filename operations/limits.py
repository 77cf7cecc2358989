"""Limits of projects as the commands show and set them."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from heliograph.domain.limits import ProjectLimits, Usage
from heliograph.settings import Settings
from storage.postgres.connection import opened
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
    async with opened(settings.postgres_dsn) as database:
        project_id = (await Projects(database).named(project)).id
        usage = await EventCounts(database).of([project_id], datetime.now(UTC).date())
        return await LimitsOfProjects(database).of(project_id), usage.get(project_id, Usage())


async def _change(settings: Settings, project: str, changed: Change) -> ProjectLimits:
    async with opened(settings.postgres_dsn) as database:
        project_id = (await Projects(database).named(project)).id
        limits = changed(await LimitsOfProjects(database).of(project_id))
        await LimitsOfProjects(database).set(project_id, limits)
        return limits

"""Projects as the commands create and list them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from heliograph.domain.access import Project
from heliograph.domain.errors import ProjectNotFound
from heliograph.domain.identifiers import ProjectId
from heliograph.settings import Settings
from operations.connection import Connection
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.projects import Projects


def create(settings: Settings, name: str) -> Connection:
    """A new project of the first organization, with a key pair."""
    return asyncio.run(_create(settings, name))


def of_first_organization(settings: Settings) -> list[tuple[Project, list[str]]]:
    """Its projects, each with its public keys."""
    return asyncio.run(_of_first_organization(settings))


async def project_id_of(settings: Settings, named: str) -> ProjectId:
    """The project of this id or name; raises ProjectNotFound."""
    async with _database(settings) as database:
        try:
            return (await Projects(database).get(ProjectId(named))).id
        except ProjectNotFound:
            found = await Projects(database).by_name(named)
            if found is None:
                raise
            return found.id


async def _create(settings: Settings, name: str) -> Connection:
    async with _database(settings) as database:
        project = await Projects(database).create(name)
        issued = await ApiKeys(database, settings.pepper).create(project.id, note="first key")
    return Connection(settings.url, issued.public_key, issued.secret_key)


async def _of_first_organization(settings: Settings) -> list[tuple[Project, list[str]]]:
    async with _database(settings) as database:
        first = await Projects(database).oldest()
        projects = await Projects(database).list_of(first.organization_id) if first else []
        return [(project, await ApiKeys(database, settings.pepper).public_keys_of(project.id)) for project in projects]


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.postgres_dsn)
    try:
        yield database
    finally:
        await database.close()

"""Projects as the commands create and list them."""

import asyncio

from heliograph.domain.access import Project
from heliograph.domain.identifiers import ProjectId
from heliograph.settings import Settings
from operations.connection import Connection
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import opened
from storage.postgres.projects import Projects


def create(settings: Settings, name: str) -> Connection:
    """A new project of the first organization, with a key pair."""
    return asyncio.run(_create(settings, name))


def of_first_organization(settings: Settings) -> list[tuple[Project, list[str]]]:
    """Its projects, each with its public keys."""
    return asyncio.run(_of_first_organization(settings))


async def project_id_of(settings: Settings, named: str) -> ProjectId:
    """The project of this id or name; raises ProjectNotFound."""
    async with opened(settings.postgres_dsn) as database:
        return (await Projects(database).named(named)).id


async def _create(settings: Settings, name: str) -> Connection:
    async with opened(settings.postgres_dsn) as database:
        project = await Projects(database).create(name)
        issued = await ApiKeys(database, settings.pepper).create(project.id, note="first key")
    return Connection(settings.url, issued.public_key, issued.secret_key)


async def _of_first_organization(settings: Settings) -> list[tuple[Project, list[str]]]:
    async with opened(settings.postgres_dsn) as database:
        first = await Projects(database).oldest()
        projects = await Projects(database).list_of(first.organization_id) if first else []
        return [(project, await ApiKeys(database, settings.pepper).public_keys_of(project.id)) for project in projects]

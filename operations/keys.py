"""API keys as the commands create, list and end them."""

import asyncio
from datetime import datetime, timedelta

from heliograph.domain.access import ListedKey
from heliograph.settings import Settings
from operations.connection import Connection
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import opened
from storage.postgres.projects import Projects


def create(settings: Settings, project: str, *, note: str, expires_at: datetime | None) -> Connection:
    """A new key pair for the project of that name; raises ProjectNotFound."""

    async def creation() -> Connection:
        async with opened(settings.postgres_dsn) as database:
            project_id = (await Projects(database).named(project)).id
            keys = ApiKeys(database, settings.pepper)
            issued = await keys.create(project_id, note=note, expires_at=expires_at)
        return Connection(settings.url, issued.public_key, issued.secret_key)

    return asyncio.run(creation())


def of_project(settings: Settings, project: str) -> list[ListedKey]:
    """Every key of the project of that name; raises ProjectNotFound."""

    async def listing() -> list[ListedKey]:
        async with opened(settings.postgres_dsn) as database:
            return await ApiKeys(database, settings.pepper).list_of((await Projects(database).named(project)).id)

    return asyncio.run(listing())


def revoke(settings: Settings, public_key: str) -> None:
    """End a key now; raises KeyUnknown."""

    async def ending() -> None:
        async with opened(settings.postgres_dsn) as database:
            await ApiKeys(database, settings.pepper).revoke(public_key)

    asyncio.run(ending())


def rotate(settings: Settings, public_key: str, overlap: timedelta) -> Connection:
    """A successor of a key, which ends itself after the overlap; raises KeyUnknown, KeyRevoked."""

    async def rotating() -> Connection:
        async with opened(settings.postgres_dsn) as database:
            issued = await ApiKeys(database, settings.pepper).rotate(public_key, overlap)
        return Connection(settings.url, issued.public_key, issued.secret_key)

    return asyncio.run(rotating())


def expire(settings: Settings, public_key: str, expires_at: datetime | None) -> None:
    """Let a key end at a moment, or never; raises KeyUnknown."""

    async def changing() -> None:
        async with opened(settings.postgres_dsn) as database:
            await ApiKeys(database, settings.pepper).expire(public_key, expires_at)

    asyncio.run(changing())

"""A step of the start, as a process of its own: migrates both stores and creates the first project and user."""

import asyncio
import sys

from heliograph import telemetry
from heliograph.domain.access import FirstAccess
from heliograph.domain.errors import HeliographError
from heliograph.settings import Settings
from migrations import plan
from operations.connection import Connection
from storage.postgres.api_keys import ApiKeys
from storage.postgres.bootstrap import create_first
from storage.postgres.connection import Database


async def connection_of(settings: Settings, access: FirstAccess, database: Database) -> Connection:
    """How to reach the first project: the keys made just now, or those kept, or when they were lost, fresh ones."""
    if access.secret_key:
        return Connection(settings.url, access.public_key, access.secret_key)
    kept = Connection.read(settings.data)
    if kept is not None and kept.secret_key:
        return Connection(settings.url, kept.public_key, kept.secret_key)
    if settings.init.secret_key and settings.init.public_key == access.public_key:
        return Connection(settings.url, access.public_key, settings.init.secret_key)
    issued = await ApiKeys(database, settings.pepper).create(access.project.id, note="replaces a lost secret")
    return Connection(settings.url, issued.public_key, issued.secret_key)


async def prepare(settings: Settings) -> None:
    """Migrate, create what is missing, write the connection file; changes nothing the second time."""
    log = telemetry.logger("preparation")
    for applied in await asyncio.to_thread(plan.upgrade, settings):
        log.info("migration_applied", migration=applied)
    database = Database(settings.postgres_dsn)
    try:
        access = await create_first(database, settings.init, settings.pepper)
        connection = await connection_of(settings, access, database)
    finally:
        await database.close()
    connection.write(settings.data)


def main() -> None:
    """Prepare the stores of the environment's settings."""
    settings = Settings()
    telemetry.configure_logs(settings.log_level, "preparation", settings.secret_values)
    try:
        asyncio.run(prepare(settings))
    except HeliographError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

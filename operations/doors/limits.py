"""The limits of projects as every door has them."""

from heliograph.settings import Settings
from serve_apps.limits import Limits
from storage.postgres.connection import Database
from storage.postgres.limits import EventCounts, LimitsOfProjects


async def limits(settings: Settings, database: Database) -> Limits:
    """The limits of a replica, kept in its memory; run them beside its requests."""
    found = Limits(LimitsOfProjects(database), EventCounts(database), replicas=settings.door_replicas)
    await found.look()
    return found

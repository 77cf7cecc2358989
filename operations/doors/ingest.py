"""The ingestion application and what it is given."""

from starlette.types import ASGIApp

from actors import directory
from heliograph.settings import Settings
from serve_apps.ingest.application import ingest_application
from serve_apps.ingest.dependencies import IngestDependencies
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.key_cache import KeyCache


async def build(settings: Settings) -> ASGIApp:
    """The application of one replica."""
    keys = KeyCache(ApiKeys(Database(settings.postgres_dsn), settings.pepper))
    return ingest_application(IngestDependencies(keys, await directory.lane_client(settings), settings.ingest))

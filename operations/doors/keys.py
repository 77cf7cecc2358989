"""Authentication as every door has it."""

from heliograph.settings import Settings
from storage.postgres.api_keys import ApiKeys
from storage.postgres.connection import Database
from storage.postgres.key_cache import KeyCache


def keys(settings: Settings, database: Database) -> KeyCache:
    """The keys of a replica, cached in its memory."""
    return KeyCache(ApiKeys(database, settings.pepper))

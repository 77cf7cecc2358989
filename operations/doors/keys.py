"""Authentication as every door has it."""

from collections.abc import Mapping
from dataclasses import dataclass

from heliograph.settings import Settings
from serve_apps.companions import Companion
from storage.postgres.api_keys import CHANGES_CHANNEL, ApiKeys
from storage.postgres.changes import Cache, Changes
from storage.postgres.connection import Database
from storage.postgres.key_cache import KeyCache
from storage.postgres.key_uses import KeyUses


@dataclass(frozen=True)
class ReplicaKeys:
    """The keys of a replica, cached in its memory, and what keeps them true beside the requests."""

    cache: KeyCache
    changes: Changes
    uses: KeyUses

    def measured(self) -> dict[str, float]:
        """Metrics of the cache and of its listener."""
        meter = self.cache.meter
        return {
            "heliograph_key_cache_hits": meter.hits,
            "heliograph_key_cache_look_ups": meter.look_ups,
            "heliograph_key_cache_stale": meter.stale,
            "heliograph_key_cache_unanswered": meter.unanswered,
            "heliograph_key_listener_connected": self.changes.is_listening,
            "heliograph_key_listener_losses": self.changes.losses,
        }

    @property
    def companions(self) -> tuple[Companion, ...]:
        """Run them as long as the cache is asked."""
        return (self.changes.run, self.uses.run)


def keys(settings: Settings, database: Database, others: Mapping[str, Cache] | None = None) -> ReplicaKeys:
    """The keys of a replica, dropped when they change elsewhere; `others` are caches that listen beside them."""
    uses = KeyUses(database)
    cache = KeyCache(ApiKeys(database, settings.pepper), note_use=uses.note)
    return ReplicaKeys(cache, Changes(settings.postgres_dsn, {CHANGES_CHANNEL: cache, **(others or {})}), uses)

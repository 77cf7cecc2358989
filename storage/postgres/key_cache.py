"""API keys as the doors see them: verified from memory, looked up at most every few seconds."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from heliograph.domain.access import Principal, StoredKey
from heliograph.domain.errors import KeyRevoked, KeyUnknown, Unavailable
from heliograph.domain.identifiers import ApiKeyId
from storage.postgres.api_keys import ApiKeys

FRESH_SECONDS = 5.0
# How long a known key is served while PostgreSQL is away.
STALE_SECONDS = 600.0
# A request waits no longer than this for PostgreSQL; the look-up itself goes on for those that come later.
PATIENCE_SECONDS = 3.0
# Random keys must not fill the memory, nor push out known ones: each kind is bounded by itself.
MAX_ENTRIES = 10_000

Finding = TypeVar("Finding")


@dataclass(frozen=True, slots=True)
class _Seen(Generic[Finding]):
    finding: Finding
    at: float
    generation: int


@dataclass
class KeyMeter:
    """What one cache was asked, and where its answers came from."""

    hits: int = 0
    look_ups: int = 0
    stale: int = 0
    unanswered: int = 0


def _forgotten(api_key_id: ApiKeyId) -> None:
    del api_key_id


class KeyCache:
    """Known keys and refused ones, for 5 s each; known ones for 10 minutes while PostgreSQL is away.

    Args:
        api_keys: where keys are looked up.
        clock: seconds that never go backwards.
        note_use: told of every key that was found valid.
    """

    def __init__(
        self,
        api_keys: ApiKeys,
        clock: Callable[[], float] = time.monotonic,
        *,
        note_use: Callable[[ApiKeyId], None] = _forgotten,
    ) -> None:
        self._api_keys = api_keys
        self._clock = clock
        self._note_use = note_use
        self._generation = 0
        self.meter = KeyMeter()
        self._known: OrderedDict[str, _Seen[StoredKey]] = OrderedDict()
        self._refused: OrderedDict[str, _Seen[KeyUnknown | KeyRevoked]] = OrderedDict()
        self._lookups: dict[str, asyncio.Task[StoredKey]] = {}
        self._away_since: float | None = None

    async def principal(self, public_key: str, secret: str) -> Principal:
        """Return whom a key pair stands for.

        Raises:
            KeyUnknown: no such key, or a wrong secret.
            KeyRevoked: revoked or expired.
            Unavailable: PostgreSQL is away and this key was not seen in the last 10 minutes.
        """
        stored = await self._stored(public_key)
        if not self._api_keys.matches(stored, secret):
            raise KeyUnknown
        return self._used(stored)

    async def public_principal(self, public_key: str) -> Principal:
        """Return whom a public key without its secret stands for. Only the scores door takes one.

        Raises:
            KeyUnknown: no such key.
            KeyRevoked: revoked or expired.
            Unavailable: PostgreSQL is away and this key was not seen in the last 10 minutes.
        """
        return self._used(await self._stored(public_key))

    def drop(self, public_key: str) -> None:
        """Forget a key that has changed, so that its next use looks it up; it is not served stale either."""
        self._known.pop(public_key, None)
        self._refused.pop(public_key, None)
        # What a look-up under way will find may be older than the reason for this call.
        self._lookups.pop(public_key, None)

    def age(self) -> None:
        """Look every key up at its next use: any of them may have changed, and PostgreSQL answers again.

        Known keys stay, to be served if PostgreSQL goes away before they were looked up.
        """
        self._generation += 1
        self._lookups.clear()
        self._away_since = None

    async def _stored(self, public_key: str) -> StoredKey:
        known = self._known.get(public_key)
        if known is not None and self._is_fresh(known):
            self.meter.hits += 1
            return known.finding
        refused = self._refused.get(public_key)
        if refused is not None and self._is_fresh(refused):
            self.meter.hits += 1
            # A fresh copy: an exception that is raised again collects the tracebacks of all its raisers.
            raise type(refused.finding)(*refused.finding.args)
        try:
            return await self._look_up(public_key)
        except Unavailable:
            # Read again: a NOTIFY may have dropped the key in the meantime.
            known = self._known.get(public_key)
            if known is None or self._age(known.at) >= STALE_SECONDS:
                self.meter.unanswered += 1
                raise
            self.meter.stale += 1
            return known.finding

    async def _look_up(self, public_key: str) -> StoredKey:
        if self._away_since is not None and self._age(self._away_since) < FRESH_SECONDS:
            raise Unavailable("PostgreSQL", FRESH_SECONDS)
        task = self._lookups.get(public_key)
        if task is None:
            self.meter.look_ups += 1
            task = self._lookups[public_key] = asyncio.create_task(self._find(public_key))
            task.add_done_callback(lambda done: self._finish(public_key, done))
        await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
        if not task.done():
            self._away_since = self._clock()
            raise Unavailable("PostgreSQL", FRESH_SECONDS)
        return task.result()

    async def _find(self, public_key: str) -> StoredKey:
        me, generation = asyncio.current_task(), self._generation
        try:
            stored = await self._api_keys.find(public_key)
        except (KeyUnknown, KeyRevoked) as refusal:
            self._away_since = None
            if self._lookups.get(public_key) is me:
                self._known.pop(public_key, None)
                _remember(self._refused, public_key, _Seen(type(refusal)(*refusal.args), self._clock(), generation))
            raise
        except Unavailable:
            self._away_since = self._clock()
            raise
        self._away_since = None
        if self._lookups.get(public_key) is me:
            self._refused.pop(public_key, None)
            _remember(self._known, public_key, _Seen(stored, self._clock(), generation))
        return stored

    def _finish(self, public_key: str, task: asyncio.Task[StoredKey]) -> None:
        if self._lookups.get(public_key) is task:
            del self._lookups[public_key]
        if not task.cancelled():
            # Retrieved, so that a failure nobody waited for is not reported as lost.
            task.exception()

    def _used(self, stored: StoredKey) -> Principal:
        if stored.expires_at is not None and stored.expires_at <= datetime.now(UTC):
            raise KeyRevoked(stored.principal.public_key)
        self._note_use(stored.principal.api_key_id)
        return stored.principal

    def _is_fresh(self, seen: _Seen[StoredKey] | _Seen[KeyUnknown | KeyRevoked]) -> bool:
        return seen.generation == self._generation and self._age(seen.at) < FRESH_SECONDS

    def _age(self, at: float) -> float:
        return self._clock() - at


def _remember(entries: OrderedDict[str, _Seen[Finding]], public_key: str, seen: _Seen[Finding]) -> None:
    entries[public_key] = seen
    entries.move_to_end(public_key)
    if len(entries) > MAX_ENTRIES:
        entries.popitem(last=False)

"""What happens to keys elsewhere: a LISTEN connection of this process tells its cache at once."""

import asyncio
import random
from collections.abc import Callable
from typing import Any, LiteralString, Protocol

import psycopg
from psycopg import sql

from heliograph import telemetry
from storage.postgres.api_keys import CHANGES_CHANNEL
from storage.postgres.connection import CONNECT_TIMEOUT_SECONDS

_log = telemetry.logger("key_changes")
_RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
# A peer that vanished without a word is noticed after about 20 s. Until then the cache's own 5 s hold.
_KEEPALIVE = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2}
APPLICATION_NAME = "heliograph keys"
_CONNECTION: dict[str, Any] = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "application_name": APPLICATION_NAME,
    **_KEEPALIVE,
}
_LISTEN: LiteralString = "LISTEN {}"


class Cache(Protocol):
    """What is told of the changes; see `KeyCache`."""

    def drop(self, public_key: str, /) -> None:
        """This key has changed."""

    def age(self) -> None:
        """Any key may have changed."""


class KeyChanges:
    """Listens until cancelled, and connects again whenever the connection is lost.

    Args:
        dsn: a SQLAlchemy URL for psycopg 3.
        cache: is told of every change.
        spread: a factor around 1 for the waits, so that many processes do not return together.
    """

    def __init__(
        self,
        dsn: str,
        cache: Cache,
        spread: Callable[[], float] = lambda: random.uniform(0.7, 1.3),  # noqa: S311
    ) -> None:
        self._dsn = dsn.replace("postgresql+psycopg://", "postgresql://", 1)
        self._cache = cache
        self._spread = spread
        self._failures = 0
        self.is_listening = False
        self.losses = 0

    async def run(self) -> None:
        """Listen until cancelled; a failure of the connection is not one of the process."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                wait = _RETRY_SECONDS[min(self._failures, len(_RETRY_SECONDS) - 1)] * self._spread()
                _log.warning("key_listener_lost", reason=str(error)[:300], retry_after=round(wait, 2))
                self._failures += 1
                self.losses += 1
                await asyncio.sleep(wait)
            finally:
                self.is_listening = False

    async def _listen(self) -> None:
        connecting = psycopg.AsyncConnection.connect(self._dsn, autocommit=True, **_CONNECTION)
        async with await connecting as connection:
            await connection.execute(sql.SQL(_LISTEN).format(sql.Identifier(CHANGES_CHANNEL)))
            # Only now, and not before: what changed until this moment was heard by nobody.
            self._cache.age()
            self._failures = 0
            self.is_listening = True
            async for notice in connection.notifies():
                self._cache.drop(notice.payload)

"""What changes elsewhere: a LISTEN connection of this process tells its caches at once."""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any, LiteralString, Protocol

import psycopg
from psycopg import sql

from heliograph import telemetry
from storage.postgres.connection import CONNECT_TIMEOUT_SECONDS

_log = telemetry.logger("changes")
_RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
# A peer that vanished without a word is noticed after about 20 s. Until then the caches' own 5 s hold.
_KEEPALIVE = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2}
APPLICATION_NAME = "heliograph changes"
_CONNECTION: dict[str, Any] = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "application_name": APPLICATION_NAME,
    **_KEEPALIVE,
}
_LISTEN: LiteralString = "LISTEN {}"


class Cache(Protocol):
    """What is told of the changes; see `KeyCache`."""

    def drop(self, subject: str, /) -> None:
        """This key, project or whatever the channel is about has changed."""

    def age(self) -> None:
        """Anything may have changed."""


class Changes:
    """Listens until cancelled, and connects again whenever the connection is lost.

    Args:
        dsn: a SQLAlchemy URL for psycopg 3.
        caches: by channel, each is told of the changes that are announced there.
        spread: a factor around 1 for the waits, so that many processes do not return together.
    """

    def __init__(
        self,
        dsn: str,
        caches: Mapping[str, Cache],
        spread: Callable[[], float] = lambda: random.uniform(0.7, 1.3),  # noqa: S311
    ) -> None:
        self._dsn = dsn.replace("postgresql+psycopg://", "postgresql://", 1)
        self._caches = dict(caches)
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
                _log.warning("listener_lost", reason=str(error)[:300], retry_after=round(wait, 2))
                self._failures += 1
                self.losses += 1
                await asyncio.sleep(wait)
            finally:
                self.is_listening = False

    async def _listen(self) -> None:
        connecting = psycopg.AsyncConnection.connect(self._dsn, autocommit=True, **_CONNECTION)
        async with await connecting as connection:
            for channel in self._caches:
                await connection.execute(sql.SQL(_LISTEN).format(sql.Identifier(channel)))
            # Only now, and not before: what changed until this moment was heard by nobody.
            for cache in self._caches.values():
                cache.age()
            self._failures = 0
            self.is_listening = True
            async for notice in connection.notifies():
                self._caches[notice.channel].drop(notice.payload)

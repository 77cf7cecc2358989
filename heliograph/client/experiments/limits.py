"""How many calls of a provider may be open, and how many may begin in a minute."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from heliograph.domain.errors import InvalidRequest


@dataclass(frozen=True)
class Limit:
    """Of one provider: so many calls at once, and so many that begin in a minute; 0 sets no bound."""

    concurrency: int = 0
    per_minute: float = 0.0

    def shared(self, among: int) -> "Limit":
        """The part of one of so many processes; each may make at least one call at a time."""
        concurrency = max(1, self.concurrency // among) if self.concurrency else 0
        return Limit(concurrency, self.per_minute / among)


class Slots:
    """The slots of one provider, each held for one call: `async with slots: …`."""

    def __init__(self, limit: Limit, clock: Callable[[], float] = time.monotonic) -> None:
        self._open = asyncio.Semaphore(limit.concurrency) if limit.concurrency else None
        self._pause = 60 / limit.per_minute if limit.per_minute else 0.0
        self._clock = clock
        self._next = 0.0

    async def __aenter__(self) -> Self:
        if self._open is not None:
            await self._open.acquire()
        # Calls begin at even distances: a burst at the start of each minute is what providers punish.
        now = self._clock()
        begins = max(now, self._next)
        self._next = begins + self._pause
        if begins > now:
            await asyncio.sleep(begins - now)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._open is not None:
            self._open.release()


class Providers:
    """The slots of each provider, by its name; what a task receives as `limits`."""

    def __init__(self, limits: Mapping[str, Limit | int]) -> None:
        self._slots = {name: Slots(limit_of(limit)) for name, limit in limits.items()}

    def __getitem__(self, provider: str) -> Slots:
        if provider not in self._slots:
            known = ", ".join(self._slots) or "none"
            raise InvalidRequest("limits", f"have no provider {provider!r}; there are {known}")
        return self._slots[provider]


def limit_of(given: Limit | int) -> Limit:
    """A limit, of which a number is the concurrency."""
    return Limit(given) if isinstance(given, int) else given

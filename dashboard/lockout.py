"""Slows down guessing: too many wrong passwords for one e-mail from one address, and the pair has to wait."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

MAX_FAILURES = 5
WINDOW = timedelta(minutes=15)
MAX_REMEMBERED = 10_000

Attempt = tuple[str, str]


@dataclass
class Lockout:
    """Failures are kept in memory: the dashboard is one replica, and a restart may forgive."""

    clock: Callable[[], float] = time.monotonic
    _failures: OrderedDict[Attempt, list[float]] = field(default_factory=OrderedDict)

    def is_locked(self, email: str, address: str) -> bool:
        """Whether the pair has failed too often of late."""
        return len(self._recent((email.lower(), address))) >= MAX_FAILURES

    def record_failure(self, email: str, address: str) -> None:
        """Count one wrong password; the oldest pair is forgotten when too many are remembered."""
        attempt = (email.lower(), address)
        self._failures[attempt] = [*self._recent(attempt), self.clock()][-MAX_FAILURES:]
        self._failures.move_to_end(attempt)
        while len(self._failures) > MAX_REMEMBERED:
            self._failures.popitem(last=False)

    def forgive(self, email: str, address: str) -> None:
        """Forget the pair's failures: the right password was given."""
        self._failures.pop((email.lower(), address), None)

    def _recent(self, attempt: Attempt) -> list[float]:
        since = self.clock() - WINDOW.total_seconds()
        return [at for at in self._failures.get(attempt, []) if at > since]

"""Slots of a shared limiter as one process uses them: leased in batches, given back in batches."""

import asyncio
import contextlib
from collections import deque
from typing import Protocol, Self

from heliograph.domain.errors import Unavailable
from heliograph.domain.pacing import CallCounts

# Well within the time after which a silent holder counts as dead.
_REPORT_SECONDS = 0.25
_BEAT_SECONDS = 5.0
_RETRY_SECONDS = 0.5


class Limiter(Protocol):
    """The limiter, wherever it runs. Raises Unavailable when it cannot be reached."""

    async def lease(self, holder: str, wanted: int, counts: CallCounts, *, group: str) -> int:
        """See RateLimiter.lease."""
        ...

    async def report(self, holder: str, counts: CallCounts) -> None:
        """See RateLimiter.report."""


class LeasedSlots:
    """The slots of one holder. Use it as a context: what it holds is given back at its end.

    Args:
        limiter: what leases them.
        holder: what tells this process and task from all others.
        group: among which the limiter is fair, as a run.
    """

    def __init__(self, limiter: Limiter, holder: str, group: str = "") -> None:
        self._limiter, self._holder, self._group = limiter, holder, group
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._ended = CallCounts()
        self._in_use = 0
        self._leasing: asyncio.Task[None] | None = None
        self._reporting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._reporting = asyncio.create_task(self._report_often())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (self._reporting, self._leasing):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        with contextlib.suppress(Unavailable):
            await self._limiter.report(self._holder, self._taken_counts())

    async def take(self) -> None:
        """Return when one more call may start."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        if self._leasing is None or self._leasing.done():
            self._leasing = asyncio.create_task(self._lease())
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                self.give_back(CallCounts(unused=1))
            raise

    def give_back(self, counts: CallCounts) -> None:
        """Tell how one call ended."""
        self._ended += counts
        self._in_use -= counts.total

    async def _lease(self) -> None:
        """Lease as long as somebody waits: one request at a time, for all that wait by then."""
        # Whoever asks in this turn of the loop joins.
        await asyncio.sleep(0)
        while self._waiting:
            counts = self._taken_counts()
            try:
                granted = await self._limiter.lease(self._holder, len(self._waiting), counts, group=self._group)
            except Unavailable:
                self._ended += counts
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            self._in_use += granted
            for _ in range(granted):
                self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                return
        self.give_back(CallCounts(unused=1))

    def _taken_counts(self) -> CallCounts:
        counts, self._ended = self._ended, CallCounts()
        return counts

    async def _report_often(self) -> None:
        silent = 0.0
        while True:
            await asyncio.sleep(_REPORT_SECONDS)
            silent += _REPORT_SECONDS
            if not self._ended.total and (silent < _BEAT_SECONDS or not self._in_use):
                continue
            counts, silent = self._taken_counts(), 0.0
            try:
                await self._limiter.report(self._holder, counts)
            except Unavailable:
                self._ended += counts

"""Slots for requests to one provider with one key, leased to every process of the cluster. A plain class."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from actors.adaptive_rate import AdaptiveRate, RateBounds
from heliograph.domain.pacing import CallCounts, PacingStatus

LEASE_SECONDS = 30.0
MAX_IN_FLIGHT = 64
# Who is not granted a slot in this time asks again, so that a caller that died is not waited for.
_PATIENCE_SECONDS = 5.0
_LEAST_WAIT_SECONDS = 0.002


@dataclass
class _Holder:
    in_flight: int
    expires_at: float


class _Waiting(NamedTuple):
    holder: str
    wanted: int
    granted: "asyncio.Future[int]"


class RateLimiter:
    """Leases slots, each for one request, at the rate that the provider takes; see `AdaptiveRate`.

    Slots go to the groups that wait in turn, so that several runs share a provider. A holder that says nothing for
    `lease_seconds` loses its slots: it has died.

    Args:
        name: of the provider and key, as people know it.
        max_in_flight: so many requests at a time.
        bounds: of the rate.
        clock: seconds.
        lease_seconds: how long a silent holder keeps its slots.
    """

    def __init__(
        self,
        name: str,
        *,
        max_in_flight: int = MAX_IN_FLIGHT,
        bounds: RateBounds | None = None,
        clock: Callable[[], float] = time.monotonic,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._name, self._clock = name, clock
        self._max_in_flight, self._lease_seconds = max_in_flight, lease_seconds
        self._rate = AdaptiveRate(clock(), bounds)
        self._holders: dict[str, _Holder] = {}
        self._groups: OrderedDict[str, deque[_Waiting]] = OrderedDict()
        self._counts = CallCounts()
        self._timer: asyncio.TimerHandle | None = None
        # Whether more was asked for than the rate allowed since answers were last counted.
        self._was_short = False

    async def lease(self, holder: str, wanted: int, counts: CallCounts | None = None, *, group: str = "") -> int:
        """Up to `wanted` slots, as soon as there are any; 0 when there were none for some seconds: ask again.

        Args:
            holder: who gets them, one for each process and group.
            wanted: how many requests it would make now.
            counts: how earlier calls ended, whose slots it gives back.
            group: among groups slots are shared fairly.
        """
        await self.report(holder, counts or CallCounts())
        waiting = _Waiting(holder, wanted, asyncio.get_running_loop().create_future())
        self._groups.setdefault(group, deque()).append(waiting)
        self._grant()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await asyncio.shield(waiting.granted)
        except TimeoutError:
            return waiting.granted.result() if waiting.granted.done() else 0
        finally:
            if not waiting.granted.done():
                waiting.granted.cancel()

    async def report(self, holder: str, counts: CallCounts) -> None:
        """Take back the slots of these calls, and keep the others for another while."""
        now = self._clock()
        known = self._holders.setdefault(holder, _Holder(0, now))
        known.in_flight = max(0, known.in_flight - counts.total)
        known.expires_at = now + self._lease_seconds
        self._counts += counts
        if counts.answered:
            self._rate.answered(counts.answered, now, is_short=self._was_short)
            self._was_short = False
        if counts.refused:
            self._rate.refused(counts.refused, now, counts.retry_after)
        self._grant()

    async def status(self) -> PacingStatus:
        """How it stands."""
        now = self._clock()
        self._expire(now)
        return PacingStatus(
            self._name,
            allowed_per_second=self._rate.rate,
            answered_per_second=self._rate.answered_per_second(now),
            refused_share=self._rate.refused_share(now),
            is_steady=self._rate.is_steady(now),
            in_flight=self._in_flight,
            waiting=self._waiting,
            holders=len(self._holders),
            paused_seconds=max(0.0, self._rate.paused_until - now),
            answered=self._counts.answered,
            refused=self._counts.refused,
            failed=self._counts.failed,
        )

    @property
    def _in_flight(self) -> int:
        return sum(holder.in_flight for holder in self._holders.values())

    @property
    def _waiting(self) -> int:
        return sum(one.wanted for queue in self._groups.values() for one in queue if not one.granted.done())

    def _grant(self) -> None:
        """Hand out what there is, one group after the other, and come back when there is more."""
        now = self._clock()
        self._expire(now)
        while (waiting := self._next()) is not None:
            free = min(self._rate.available(now), self._max_in_flight - self._in_flight)
            if free <= 0:
                self._come_back(now)
                return
            group, one = waiting
            share = max(1, free // len(self._groups))
            granted = min(one.wanted, share)
            self._rate.take(granted)
            self._holders.setdefault(one.holder, _Holder(0, now + self._lease_seconds)).in_flight += granted
            one.granted.set_result(granted)
            self._groups[group].popleft()
            self._groups.move_to_end(group)
            if not self._groups[group]:
                del self._groups[group]

    def _next(self) -> tuple[str, _Waiting] | None:
        """The first that waits, of the group whose turn it is; those that gave up are forgotten."""
        for group in list(self._groups):
            queue = self._groups[group]
            while queue and queue[0].granted.done():
                queue.popleft()
            if queue:
                return group, queue[0]
            del self._groups[group]
        return None

    def _come_back(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # Where all slots are in flight, only a report or an end of a lease makes room.
        is_full = self._in_flight >= self._max_in_flight
        self._was_short = self._was_short or not is_full
        wait = self._lease_seconds / 4 if is_full else max(_LEAST_WAIT_SECONDS, self._rate.next_after(now))
        self._timer = asyncio.get_running_loop().call_later(wait, self._grant)

    def _expire(self, now: float) -> None:
        dead = [name for name, holder in self._holders.items() if holder.expires_at <= now]
        for name in dead:
            del self._holders[name]

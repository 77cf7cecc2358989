"""What projects may send and ask, as one replica enforces it from memory."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from heliograph import telemetry
from heliograph.domain.errors import HeliographError, QuotaExceeded, RateLimited
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.limits import ProjectLimits, RouteGroup, Usage, next_day, next_month, route_group

# For so long after a change of a limit requests may still meet the one before; and for so long a replica knows
# nothing of the events that the others count.
REFRESH_SECONDS = 5.0
_WINDOW_SECONDS = 60
_SECOND = timedelta(seconds=1)
_log = telemetry.logger("limits")


class StoredLimits(Protocol):
    """Where limits are kept. Raises Unavailable."""

    async def version(self) -> str:
        """A text that changes whenever a limit does."""
        ...

    async def all(self) -> Mapping[ProjectId, ProjectLimits]:
        """The limits of every project that has some."""
        ...


class StoredCounts(Protocol):
    """Where acknowledged events are counted. Raises Unavailable."""

    async def add(self, counts: Mapping[tuple[ProjectId, date], int]) -> None:
        """Add what this replica has counted."""
        ...

    async def of(self, projects: list[ProjectId], today: date) -> Mapping[ProjectId, Usage]:
        """What these projects have sent."""
        ...


def _now() -> datetime:
    return datetime.now(UTC)


class Limits:
    """The limits of all projects. While their store is away the last known ones hold, and none before the first.

    A limit of requests is a fixed window of a minute, of which this replica gives its share: `limit / replicas`,
    rounded up. So all together let through at most `limit + replicas - 1`, and fewer where a balancer favours some.
    A quota is compared with the events that were written down by all replicas and counted since by this one.

    Args:
        stored: where they are kept.
        counts: where events are counted.
        replicas: how many of them share a project's requests.
        clock: the time of a request.
    """

    def __init__(
        self, stored: StoredLimits, counts: StoredCounts, *, replicas: int = 1, clock: Callable[[], datetime] = _now
    ) -> None:
        self._stored = stored
        self._counts = counts
        self._replicas = replicas
        self._clock = clock
        self._version: str | None = None
        self._limits: Mapping[ProjectId, ProjectLimits] = {}
        self._window = 0
        self._requests: Counter[tuple[ProjectId, RouteGroup]] = Counter()
        self._written: Mapping[ProjectId, Usage] = {}
        self._counted: Counter[tuple[ProjectId, date]] = Counter()
        self._today = clock().date()
        self.refused: Counter[str] = Counter()
        self.sampled_out = 0

    def admit(self, project_id: ProjectId, method: str, path: str) -> None:
        """Count a request; raises RateLimited or QuotaExceeded when it is one too many."""
        limits = self._limits.get(project_id)
        if limits is None:
            return
        group = route_group(method, path)
        if group is None:
            return
        now = self._clock()
        if group.is_ingestion and limits.has_quota:
            self._admit_events(project_id, limits, now)
        limit = limits.requests_per_minute.get(group)
        if limit is not None:
            self._admit_request(project_id, group, limit=limit, now=now)

    def sample_rate(self, project_id: ProjectId) -> float:
        """The share of a project's traces that is kept."""
        limits = self._limits.get(project_id)
        return 1.0 if limits is None else limits.sample_rate

    def note(self, project_id: ProjectId, events: int) -> None:
        """So many events were acknowledged."""
        self._counted[project_id, self._clock().date()] += events

    def measured(self) -> dict[str, float]:
        """Metrics of this replica."""
        return {
            "heliograph_rate_limited_requests": self.refused["rate"],
            "heliograph_quota_refused_requests": self.refused["quota"],
            "heliograph_sampled_out_events": self.sampled_out,
        }

    async def run(self) -> None:
        """Follow the limits, and write down what was counted, until cancelled; once more then."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(REFRESH_SECONDS)
        finally:
            await self.look()

    async def look(self) -> None:
        """Do both if the store answers; what it did not take is kept."""
        try:
            await self.refresh()
        except HeliographError as error:
            _log.warning("limits_not_read", reason=str(error))

    async def refresh(self) -> None:
        """Write down what was counted, read what has changed; raises Unavailable."""
        version = await self._stored.version()
        if version != self._version:
            self._limits, self._version = await self._stored.all(), version
        counted, self._counted = self._counted, Counter()
        try:
            await self._counts.add(counted)
        except (HeliographError, asyncio.CancelledError):
            self._counted += counted
            raise
        with_quota = [project_id for project_id, limits in self._limits.items() if limits.has_quota]
        today = self._clock().date()
        # Counted meanwhile, or written down just now: never both, never neither.
        self._written = await self._counts.of(with_quota, today) if with_quota else {}
        self._today = today

    def _admit_request(self, project_id: ProjectId, group: RouteGroup, *, limit: int, now: datetime) -> None:
        window = int(now.timestamp()) // _WINDOW_SECONDS
        if window != self._window:
            self._window = window
            self._requests.clear()
        share = math.ceil(limit / self._replicas)
        if self._requests[project_id, group] >= share:
            self.refused["rate"] += 1
            reset_at = datetime.fromtimestamp((window + 1) * _WINDOW_SECONDS, UTC)
            raise RateLimited(group.value, limit, reset_at.isoformat(), math.ceil((reset_at - now) / _SECOND))
        self._requests[project_id, group] += 1

    def _admit_events(self, project_id: ProjectId, limits: ProjectLimits, now: datetime) -> None:
        used = self._used(project_id, now.date())
        for quota, events, period, ends in (
            (limits.events_per_day, used.today, "day", next_day),
            (limits.events_per_month, used.this_month, "month", next_month),
        ):
            if quota is not None and events >= quota:
                self.refused["quota"] += 1
                reset_at = ends(now)
                raise QuotaExceeded(quota, period, reset_at.isoformat(), math.ceil((reset_at - now) / _SECOND))

    def _used(self, project_id: ProjectId, today: date) -> Usage:
        written = self._written.get(project_id, Usage())
        if today != self._today:
            is_same_month = (today.year, today.month) == (self._today.year, self._today.month)
            written = Usage(0, written.this_month if is_same_month else 0)
        pending = self._counted[project_id, today]
        return Usage(written.today + pending, written.this_month + pending)


class NothingStored:
    """No limits, and nobody counts."""

    async def version(self) -> str:
        """Always the same."""
        return ""

    async def all(self) -> Mapping[ProjectId, ProjectLimits]:
        """Nothing."""
        return {}

    async def add(self, counts: Mapping[tuple[ProjectId, date], int]) -> None:
        """Forget them."""

    async def of(self, projects: list[ProjectId], today: date) -> Mapping[ProjectId, Usage]:
        """Nothing."""
        del projects, today
        return {}


def unlimited() -> Limits:
    """For an application whose projects have no limits."""
    nothing = NothingStored()
    return Limits(nothing, nothing)

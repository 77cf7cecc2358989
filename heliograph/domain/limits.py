"""What a project may send and ask: requests a minute by group of routes, events by day and month, a sample rate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class RouteGroup(StrEnum):
    """Routes that share a limit, by the contract's names."""

    INGESTION = "ingestion"
    LEGACY_INGESTION = "legacy-ingestion"
    MEDIA_UPLOAD = "media-upload"
    PROMPTS = "prompts"
    PUBLIC_API = "public-api"
    PUBLIC_API_LEGACY = "public-api-legacy"
    DATASETS = "datasets"
    ANNOTATION_QUEUES = "annotation-queues"
    TRACE_DELETE = "trace-delete"
    SCORE_DELETE = "score-delete"

    @property
    def is_ingestion(self) -> bool:
        """Whether its requests bring events, which quotas count."""
        return self in {RouteGroup.INGESTION, RouteGroup.LEGACY_INGESTION}


@dataclass(frozen=True)
class ProjectLimits:
    """The limits of one project; what is not limited is absent.

    Attributes:
        requests_per_minute: by group of routes.
        events_per_day: a quota for each day, in UTC.
        events_per_month: a quota for each calendar month, in UTC.
        sample_rate: the share of traces that is kept.
    """

    requests_per_minute: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    events_per_day: int | None = None
    events_per_month: int | None = None
    sample_rate: float = 1.0

    @property
    def has_quota(self) -> bool:
        """Whether events are limited."""
        return self.events_per_day is not None or self.events_per_month is not None


class Usage(NamedTuple):
    """Events that were acknowledged."""

    today: int = 0
    this_month: int = 0


def next_day(now: datetime) -> datetime:
    """When the day of this moment ends, in UTC."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), datetime.min.time(), UTC)


def next_month(now: datetime) -> datetime:
    """When the month of this moment ends, in UTC."""
    first = now.astimezone(UTC).date().replace(day=1)
    return datetime.combine((first + timedelta(days=32)).replace(day=1), datetime.min.time(), UTC)


def first_of_month(day: date) -> date:
    """The day on which its month begins."""
    return day.replace(day=1)


_V1_READS = ("/traces", "/observations", "/sessions", "/scores", "/v2/scores", "/metrics", "/dataset-run-items")
_LEGACY_WRITES = ("/traces", "/spans", "/generations", "/events")
_PREFIXED = (
    ("/media", RouteGroup.MEDIA_UPLOAD),
    ("/prompts", RouteGroup.PROMPTS),
    ("/v2/prompts", RouteGroup.PROMPTS),
    ("/datasets", RouteGroup.DATASETS),
    ("/v2/datasets", RouteGroup.DATASETS),
    ("/dataset-items", RouteGroup.DATASETS),
    ("/annotation-queues", RouteGroup.ANNOTATION_QUEUES),
)
# SDKs ask these to find out whether their keys work.
_UNLIMITED = ("/projects", "/health", "/ready")


def route_group(method: str, path: str) -> RouteGroup | None:
    """The group of a route of the public API; None for those that are never limited."""
    route = path.rpartition("/api/public")[2]
    if route.startswith(_UNLIMITED):
        return None
    for prefix, group in _PREFIXED:
        if route.startswith(prefix):
            return group
    if method == "DELETE" and route.startswith(("/traces", "/scores")):
        return RouteGroup.TRACE_DELETE if route.startswith("/traces") else RouteGroup.SCORE_DELETE
    if method in {"POST", "PATCH"} and (
        route in _LEGACY_WRITES or route in {"/scores", "/ingestion"} or "/v1/" in route
    ):
        return RouteGroup.LEGACY_INGESTION if route in _LEGACY_WRITES else RouteGroup.INGESTION
    return RouteGroup.PUBLIC_API_LEGACY if route.startswith(_V1_READS) else RouteGroup.PUBLIC_API

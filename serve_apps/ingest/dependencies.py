"""What the ingestion doors need from outside, given to them by the composition root."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from heliograph.domain.events import MappedBatch
from heliograph.settings import IngestSettings
from serve_apps.authentication import Keys


class Appends(Protocol):
    """Where mapped batches go. Raises Overloaded or Unavailable when they cannot be kept."""

    async def append(self, batch: MappedBatch) -> None:
        """Return when every record of the batch is durable."""
        ...


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class IngestDependencies:
    """The keys to authenticate against, where events go, the limits, and the clock that stamps what arrives."""

    keys: Keys
    appends: Appends
    settings: IngestSettings = field(default_factory=IngestSettings)
    clock: Callable[[], datetime] = _now

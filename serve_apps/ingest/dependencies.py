"""What the ingestion doors need from outside, given to them by the composition root."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from heliograph.domain.events import MappedBatch
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.score_configs import ScoreConfig
from heliograph.outbound import Outbound
from heliograph.settings import IngestSettings
from ingestion.masking.callback import Callbacks
from ingestion.masking.projects import Maskings, NoRules
from ingestion.media import Extraction
from ingestion.pricing import PriceBooks, managed_prices
from serve_apps.authentication import Keys
from serve_apps.companions import Companion
from serve_apps.limits import Limits, unlimited


class Appends(Protocol):
    """Where mapped batches go. Raises Overloaded or Unavailable when they cannot be kept."""

    async def append(self, batch: MappedBatch) -> None:
        """Return when every record of the batch is durable."""
        ...


class StoredTraceIds(Protocol):
    """The observations that are stored already."""

    async def trace_ids(self, project_id: ProjectId, observation_ids: Sequence[str]) -> dict[str, str]:
        """The trace of each observation that is found. Raises Unavailable while the store does not answer."""
        ...


class ScoreConfigs(Protocol):
    """The configs that scores may name."""

    async def of(self, project_id: ProjectId, config_ids: Collection[str]) -> Mapping[str, ScoreConfig]:
        """Those of these that exist in the project, by id. Raises Unavailable while that cannot be told."""
        ...


class NoScoreConfigs:
    """No project has any."""

    async def of(self, project_id: ProjectId, config_ids: Collection[str]) -> Mapping[str, ScoreConfig]:
        """See ScoreConfigs.of."""
        del project_id, config_ids
        return {}


class MediaStore(Protocol):
    """Where media go that were found in payloads."""

    async def keep(self, project_id: ProjectId, extraction: Extraction) -> bool:
        """Return True when every file is durable, and False when they are to stay where they are.

        Raises:
            Unavailable: a file cannot be stored at the moment.
        """
        ...


class LeftInPlace:
    """No store: media stay in their payloads."""

    async def keep(self, project_id: ProjectId, extraction: Extraction) -> bool:
        """See MediaStore.keep."""
        del project_id, extraction
        return False


@dataclass
class HeardLogs:
    """How many records a replica has been sent."""

    joined: int = 0
    dropped: int = 0

    def collected(self) -> dict[str, float]:
        """By the names of their metrics."""
        return {"heliograph_log_records_joined": self.joined, "heliograph_log_records_dropped": self.dropped}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class IngestDependencies:
    """The keys, where events and media go, bounds, the clock, prices, masking, limits, score configs, companions."""

    keys: Keys
    appends: Appends
    trace_ids: StoredTraceIds
    settings: IngestSettings = field(default_factory=IngestSettings)
    clock: Callable[[], datetime] = _now
    prices: PriceBooks = field(default_factory=managed_prices)
    maskings: Maskings = field(default_factory=NoRules)
    callbacks: Callbacks = field(default_factory=lambda: Callbacks(Outbound()))
    heard_logs: HeardLogs = field(default_factory=HeardLogs)
    limits: Limits = field(default_factory=unlimited)
    # Where OTLP over gRPC is served beside HTTP; '' serves none.
    grpc_address: str = ""
    media: MediaStore = field(default_factory=LeftInPlace)
    score_configs: ScoreConfigs = field(default_factory=NoScoreConfigs)
    companions: tuple[Companion, ...] = ()

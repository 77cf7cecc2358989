"""Blob storage integrations: rows of a project written to a bucket of its owner's, period by period."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.selections import SelectedTable

# Rows are written once they are so old: events that belong together come together by then.
LAG = timedelta(minutes=20)
# How much one step of catching up takes, at least.
CATCH_UP = timedelta(days=1)
# A run that has said nothing for so long was killed.
ABANDONED_AFTER = timedelta(hours=2)


class BlobStorageKind(StrEnum):
    """The protocol of a bucket."""

    S3 = "S3"
    S3_COMPATIBLE = "S3_COMPATIBLE"


class Frequency(StrEnum):
    """How often rows are written."""

    EVERY_20_MINUTES = "every_20_minutes"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"

    @property
    def period(self) -> timedelta:
        """Between two runs."""
        return _PERIODS[self]


_PERIODS = {
    Frequency.EVERY_20_MINUTES: timedelta(minutes=20),
    Frequency.HOURLY: timedelta(hours=1),
    Frequency.DAILY: timedelta(days=1),
    Frequency.WEEKLY: timedelta(days=7),
}


class FileType(StrEnum):
    """The format of the files."""

    JSON = "JSON"
    CSV = "CSV"
    JSONL = "JSONL"
    PARQUET = "PARQUET"


class ExportMode(StrEnum):
    """Since when rows are written."""

    FULL_HISTORY = "FULL_HISTORY"
    FROM_TODAY = "FROM_TODAY"
    FROM_CUSTOM_DATE = "FROM_CUSTOM_DATE"


class ExportSource(StrEnum):
    """Which tables are written."""

    LEGACY_TRACES_OBSERVATIONS = "LEGACY_TRACES_OBSERVATIONS"
    OBSERVATIONS_V2 = "OBSERVATIONS_V2"
    LEGACY_TRACES_AND_ENRICHED_OBSERVATIONS = "LEGACY_TRACES_AND_ENRICHED_OBSERVATIONS"


class FieldGroup(StrEnum):
    """Columns of observations that are chosen together."""

    CORE = "core"
    BASIC = "basic"
    TIME = "time"
    IO = "io"
    METADATA = "metadata"
    MODEL = "model"
    USAGE = "usage"
    PROMPT = "prompt"
    METRICS = "metrics"
    TOOLS = "tools"
    TRACE_CONTEXT = "trace_context"


class SyncStatus(StrEnum):
    """How an integration fares."""

    IDLE = "idle"
    RUNNING = "running"
    QUEUED = "queued"
    UP_TO_DATE = "up_to_date"
    DISABLED = "disabled"
    ERROR = "error"


@dataclass(frozen=True)
class Bucket:
    """Where files are written; without an endpoint it is Amazon's of the region."""

    kind: BlobStorageKind
    name: str
    region: str
    endpoint: str | None
    access_key_id: str
    prefix: str
    force_path_style: bool


@dataclass(frozen=True)
class Export:
    """What is written, and how often."""

    frequency: Frequency
    file_type: FileType
    mode: ExportMode
    start: datetime | None
    compressed: bool
    source: ExportSource
    field_groups: tuple[FieldGroup, ...]


@dataclass(frozen=True)
class NewBlobStorageIntegration:
    """An integration as it is to be kept; without a secret the earlier one stays, as the source and groups do."""

    project_id: ProjectId
    bucket: Bucket
    enabled: bool
    frequency: Frequency
    file_type: FileType
    mode: ExportMode
    start: datetime | None = None
    compressed: bool = True
    source: ExportSource | None = None
    field_groups: tuple[FieldGroup, ...] | None = None
    secret_access_key: str | None = field(default=None, repr=False)


class Progress(NamedTuple):
    """How far the rows are written, when that goes on, and what went wrong last."""

    last_sync_at: datetime | None = None
    next_sync_at: datetime | None = None
    started_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None


@dataclass(frozen=True)
class BlobStorageIntegration:
    """An integration as it is shown: without its secret."""

    id: str
    project_id: ProjectId
    bucket: Bucket
    export: Export
    enabled: bool
    progress: Progress
    created_at: datetime
    updated_at: datetime

    def status(self, now: datetime) -> SyncStatus:
        """How it fares at this moment."""
        progress = self.progress
        if not self.enabled:
            return SyncStatus.DISABLED
        if progress.started_at is not None and now - progress.started_at < ABANDONED_AFTER:
            return SyncStatus.RUNNING
        if progress.last_error is not None:
            return SyncStatus.ERROR
        if progress.next_sync_at is not None and progress.next_sync_at <= now:
            return SyncStatus.QUEUED
        return SyncStatus.IDLE if progress.last_sync_at is None else SyncStatus.UP_TO_DATE

    @property
    def starts_at(self) -> datetime | None:
        """The time of the first rows that are written; None for all."""
        match self.export.mode:
            case ExportMode.FROM_TODAY:
                return self.created_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            case ExportMode.FROM_CUSTOM_DATE:
                return self.export.start
        return None


@dataclass(frozen=True)
class OpenedBlobStorageIntegration:
    """An integration with its secret, for who writes to the bucket. It must not be shown, logged or stored."""

    integration: BlobStorageIntegration
    secret_access_key: str = field(repr=False)


class Period(NamedTuple):
    """Rows that changed after a moment, and until another one with it."""

    after: datetime
    until: datetime

    @property
    def stamp(self) -> str:
        """What files of it are named by: its end, without characters that file systems refuse."""
        return self.until.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%S-%fZ")


def next_period(frequency: Frequency, after: datetime, settled: datetime) -> Period | None:
    """What is written next once everything until `after` is, of what is settled; None when it is too early.

    A long way is gone by days or longer periods, so that a history of years is not a myriad of files.
    """
    step = frequency.period if settled - after < CATCH_UP + frequency.period else max(CATCH_UP, frequency.period)
    return Period(after, after + step) if after + step <= settled else None


class ExportedTable(NamedTuple):
    """A table of an export: the name of its folder, what it is read from, and which of its columns."""

    folder: str
    table: SelectedTable
    columns: tuple[str, ...]


_TRACES = ExportedTable("traces", SelectedTable.TRACES, (
    *("id", "timestamp", "name", "environment", "user_id", "session_id", "release", "version", "tags", "public"),
    *("bookmarked", "metadata", "input", "output", "latency", "total_cost", "total_tokens", "observation_count"),
    *("created_at", "updated_at"),
))  # fmt: skip
_SCORES = ExportedTable("scores", SelectedTable.SCORES, (
    *("id", "timestamp", "name", "data_type", "source", "value", "string_value", "long_string_value", "trace_id"),
    *("observation_id", "session_id", "dataset_run_id", "environment", "comment", "metadata", "author_user_id"),
    *("config_id", "queue_id", "evaluator_version", "created_at", "updated_at"),
))  # fmt: skip
_GROUPS: Mapping[FieldGroup, tuple[str, ...]] = {
    FieldGroup.CORE: ("id", "trace_id", "start_time", "end_time", "parent_observation_id", "type"),
    FieldGroup.BASIC: (
        *("name", "level", "status_message", "version", "environment", "public", "user_id", "session_id"),
        "is_app_root",
    ),
    FieldGroup.TIME: ("completion_start_time", "created_at", "updated_at"),
    FieldGroup.IO: ("input", "output"),
    FieldGroup.METADATA: ("metadata",),
    FieldGroup.MODEL: ("provided_model_name", "model_id", "model_parameters"),
    FieldGroup.USAGE: ("usage_details", "cost_details", "total_cost", "pricing_tier"),
    FieldGroup.PROMPT: ("prompt_id", "prompt_name", "prompt_version"),
    FieldGroup.METRICS: ("latency", "time_to_first_token"),
    # What tools were called is told by inputs, outputs and metadata.
    FieldGroup.TOOLS: (),
    FieldGroup.TRACE_CONTEXT: ("tags", "release", "trace_name"),
}


def exported_tables(source: ExportSource, groups: Iterable[FieldGroup]) -> Sequence[ExportedTable]:
    """What an export writes; no groups are all of them."""
    chosen = set(groups) or set(FieldGroup)
    columns = tuple(column for group in FieldGroup if group in chosen for column in _GROUPS[group])
    own = tuple(column for column in columns if column not in _GROUPS[FieldGroup.TRACE_CONTEXT])
    first = (_TRACES, ExportedTable("observations", SelectedTable.OBSERVATIONS, own))
    second = (ExportedTable("observations_v2", SelectedTable.OBSERVATIONS, columns),)
    match source:
        case ExportSource.LEGACY_TRACES_OBSERVATIONS:
            return (*first, _SCORES)
        case ExportSource.OBSERVATIONS_V2:
            return (*second, _SCORES)
        case ExportSource.LEGACY_TRACES_AND_ENRICHED_OBSERVATIONS:
            return (*first, *second, _SCORES)


def check(new: NewBlobStorageIntegration, now: datetime) -> None:
    """Raises InvalidRequest when what is given does not go together."""
    bucket = new.bucket
    if bucket.kind is BlobStorageKind.S3_COMPATIBLE and not bucket.endpoint:
        raise InvalidRequest("endpoint", "is needed for the type S3_COMPATIBLE: give the URL of the store")
    if bucket.kind is BlobStorageKind.S3 and not bucket.endpoint and bucket.region == "auto":
        raise InvalidRequest("region", "names the AWS region: auto is for stores of others")
    if new.mode is ExportMode.FROM_CUSTOM_DATE and new.start is None:
        raise InvalidRequest("exportStartDate", "is needed for the mode FROM_CUSTOM_DATE")
    # Whoever is ahead of UTC calls it tomorrow already.
    if new.start is not None and new.start > now + timedelta(hours=27):
        raise InvalidRequest("exportStartDate", "is in the future")
    if new.field_groups is not None:
        if new.source is None:
            raise InvalidRequest("exportFieldGroups", "need exportSource in the same request")
        if FieldGroup.CORE not in new.field_groups:
            raise InvalidRequest("exportFieldGroups", "must hold core")

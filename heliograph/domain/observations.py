"""An observation: one span, generation, event, tool call, … of a trace."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa

from heliograph.domain.plain_rows import plain_rows

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Observation:
    """A row of `observations`, or the columns of it that were read; '' means absent."""

    id: str
    project_id: str = ""
    trace_id: str = ""
    parent_observation_id: str = ""
    type: str = "SPAN"
    name: str = ""
    start_time: datetime = _EPOCH
    end_time: datetime | None = None
    completion_start_time: datetime | None = None
    level: str = "DEFAULT"
    status_message: str = ""
    environment: str = "default"
    release: str = ""
    version: str = ""
    is_app_root: bool = False
    trace_name: str = ""
    user_id: str = ""
    session_id: str = ""
    tags: list[str] = field(default_factory=list)
    public: bool | None = None
    trace_metadata: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    input: str = ""
    output: str = ""
    input_preview: str = ""
    output_preview: str = ""
    provided_model_name: str = ""
    model_id: str = ""
    model_parameters: str = ""
    usage_details: Mapping[str, int] = field(default_factory=dict)
    provided_usage_details: Mapping[str, int] = field(default_factory=dict)
    cost_details: Mapping[str, Decimal] = field(default_factory=dict)
    provided_cost_details: Mapping[str, Decimal] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    total_cost: Decimal = Decimal(0)
    pricing_tier: str = ""
    unpriced_usage: list[str] = field(default_factory=list)
    prompt_id: str = ""
    prompt_name: str = ""
    prompt_version: int | None = None
    source: str = ""
    service_name: str = ""
    service_version: str = ""
    scope_name: str = ""
    scope_version: str = ""
    ingestion_api_key: str = ""
    ingestion_sdk_name: str = ""
    ingestion_sdk_version: str = ""
    created_at: datetime = _EPOCH
    updated_at: datetime = _EPOCH

    @property
    def is_root(self) -> bool:
        """Whether it is the logical root of its trace: it has no parent, or its SDK called it the root."""
        return not self.parent_observation_id or self.is_app_root

    @property
    def latency_seconds(self) -> float | None:
        """From start to end, if it has ended."""
        return None if self.end_time is None else _seconds(self.start_time, self.end_time)

    @property
    def seconds_to_first_token(self) -> float | None:
        """From start to the first token, if that is known."""
        return None if self.completion_start_time is None else _seconds(self.start_time, self.completion_start_time)


def observations_from(rows: pa.Table) -> Iterator[Observation]:
    """The observations of a table whose columns are named like the fields."""
    return (Observation(**row) for row in plain_rows(rows))


def _seconds(start: datetime, end: datetime) -> float:
    return round((end - start).total_seconds(), 3)

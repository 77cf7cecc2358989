"""A trace: everything that one request, run or conversation turn did, rolled up from its observations."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa

from heliograph.domain.plain_rows import plain_rows

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Trace:
    """A row of `traces`, or the columns of it that were read; '' means absent.

    Input and output are the trace's own, or else those of its root observation.
    """

    id: str
    project_id: str = ""
    timestamp: datetime = _EPOCH
    name: str = ""
    user_id: str = ""
    session_id: str = ""
    environment: str = "default"
    release: str = ""
    version: str = ""
    tags: list[str] = field(default_factory=list)
    public: bool = False
    bookmarked: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    input: str = ""
    output: str = ""
    input_preview: str = ""
    output_preview: str = ""
    root_observation_id: str = ""
    end_time: datetime | None = None
    latency_ms: float | None = None
    level: str = "DEFAULT"
    observation_count: int = 0
    error_count: int = 0
    warning_count: int = 0
    score_count: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    total_cost: Decimal = Decimal(0)
    models: list[str] = field(default_factory=list)
    score_values: Mapping[str, float] = field(default_factory=dict)
    score_labels: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime = _EPOCH
    updated_at: datetime = _EPOCH

    @property
    def latency_seconds(self) -> float:
        """From the first start to the last end; 0 while nothing has ended."""
        return round((self.latency_ms or 0.0) / 1000, 3)


def traces_from(rows: pa.Table) -> Iterator[Trace]:
    """The traces of a table whose columns are named like the fields."""
    return (Trace(**row) for row in plain_rows(rows))

"""What the pages ask of the stores: one class bound to one project, thin over the readers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from dashboard.state import Period, TraceList


@dataclass(frozen=True)
class Totals:
    """The numbers of one period."""

    traces: int = 0
    observations: int = 0
    errors: int = 0
    tokens: int = 0
    cost: float = 0.0
    latency_p95_ms: float | None = None

    @property
    def error_rate(self) -> float:
        """Failed observations per observation."""
        return self.errors / self.observations if self.observations else 0.0


@dataclass(frozen=True)
class OverviewData:
    """Everything that the overview shows.

    Attributes:
        series: columns time, traces, observations, errors, tokens, cost.
        models: columns time, model, cost.
        latency: columns time, p50, p90, p95, p99, in milliseconds.
    """

    totals: Totals
    previous: Totals
    series: pa.Table
    models: pa.Table
    latency: pa.Table


@dataclass(frozen=True)
class TracePage:
    """One page of traces, with the columns of the traces table, and how many match."""

    rows: pa.Table
    total: int


@dataclass(frozen=True)
class WholeTrace:
    """One trace: its row, its observations without payloads, and all of its scores."""

    trace: pa.Table
    observations: pa.Table
    scores: pa.Table


class ProjectQueries(Protocol):
    """The questions of the pages, all about one project."""

    async def environments(self, period: Period) -> Sequence[str]:
        """The environments that events of the period name."""
        ...

    async def overview(self, period: Period, environment: str) -> OverviewData:
        """The overview's numbers."""
        ...

    async def traces(self, period: Period, environment: str, wanted: TraceList) -> TracePage:
        """The wanted page of the list of traces."""
        ...

    async def trace(self, trace_id: str) -> WholeTrace | None:
        """One trace, or none if there is no such trace in the project."""
        ...

    async def observation(self, trace_id: str, observation_id: str) -> pa.Table:
        """One observation with its payloads, as a table of one row."""
        ...

    async def has_traces(self) -> bool:
        """Whether the project has ever received a trace."""
        ...

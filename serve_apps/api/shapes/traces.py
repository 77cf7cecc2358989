"""Traces in the shape of the first API generation."""

from collections.abc import Sequence

from heliograph.domain.traces import Trace
from serve_apps.api.shapes.observations import ObservationV1
from serve_apps.api.shapes.scores import ScoreV1
from serve_apps.api.shapes.values import Instant, Json, JsonObject, JsonShape, iso, parsed, parsed_values

FIELD_GROUPS = ("core", "io", "scores", "observations", "metrics")
# What the contract shows for a metric that was not asked for.
_UNSELECTED = -1


class _TraceFields(JsonShape):
    id: str
    externalId: None
    timestamp: Instant
    name: str | None
    userId: str | None
    metadata: JsonObject | None
    release: str | None
    version: str | None
    projectId: str
    environment: str
    public: bool
    bookmarked: bool
    tags: Sequence[str]
    input: Json
    output: Json
    sessionId: str | None
    createdAt: Instant
    updatedAt: Instant


class BareTraceV1(_TraceFields):
    """A trace as it stands within its session."""


class _Figures(JsonShape):
    totalCost: float
    latency: float
    htmlPath: str


class ListedTraceV1(_TraceFields, _Figures):
    """A trace in a list, with the ids of its observations and scores; a figure that was not asked for is -1."""

    observations: Sequence[str]
    scores: Sequence[str]


class TraceV1(_TraceFields, _Figures):
    """A trace with its observations and scores, cost in US dollars, latency in seconds."""

    observations: Sequence[ObservationV1]
    scores: Sequence[ScoreV1]


def bare_trace_v1(trace: Trace, *, has_payloads: bool = True) -> BareTraceV1:
    """The contract's trace as it stands within its session."""
    return {
        "id": trace.id,
        "externalId": None,
        "timestamp": iso(trace.timestamp),
        "name": trace.name or None,
        "userId": trace.user_id or None,
        "metadata": parsed_values(trace.metadata) if has_payloads else None,
        "release": trace.release or None,
        "version": trace.version or None,
        "projectId": trace.project_id,
        "environment": trace.environment,
        "public": trace.public,
        "bookmarked": trace.bookmarked,
        "tags": trace.tags,
        "input": parsed(trace.input) if has_payloads else None,
        "output": parsed(trace.output) if has_payloads else None,
        "sessionId": trace.session_id or None,
        "createdAt": iso(trace.created_at),
        "updatedAt": iso(trace.updated_at),
    }


def listed_trace_v1(
    trace: Trace, groups: frozenset[str], *, observations: Sequence[str], scores: Sequence[str]
) -> ListedTraceV1:
    """The contract's trace in a list, with these groups of fields."""
    return {
        **bare_trace_v1(trace, has_payloads="io" in groups),
        "observations": observations,
        "scores": scores,
        **_figures(trace, groups),
    }


def trace_v1(
    trace: Trace, groups: frozenset[str], *, observations: Sequence[ObservationV1], scores: Sequence[ScoreV1]
) -> TraceV1:
    """The contract's trace with all that belongs to it."""
    return {
        **bare_trace_v1(trace, has_payloads="io" in groups),
        "observations": observations,
        "scores": scores,
        **_figures(trace, groups),
    }


def _figures(trace: Trace, groups: frozenset[str]) -> _Figures:
    has_metrics = "metrics" in groups
    return {
        "totalCost": float(trace.total_cost) if has_metrics else _UNSELECTED,
        "latency": trace.latency_seconds if has_metrics else _UNSELECTED,
        "htmlPath": f"/project/{trace.project_id}/traces/{trace.id}",
    }

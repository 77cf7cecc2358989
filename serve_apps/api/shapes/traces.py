"""Traces in the shape of the first API generation."""

from collections.abc import Sequence
from typing import Any

from heliograph.domain.traces import Trace
from serve_apps.api.shapes.values import iso, parsed, parsed_values

FIELD_GROUPS = ("core", "io", "scores", "observations", "metrics")
# What the contract shows for a metric that was not asked for.
_UNSELECTED = -1

# What belongs to a trace in a list of traces, or alone, but not within its session.
_RELATED = ("observations", "scores", "totalCost", "latency", "htmlPath")


def bare_trace_v1(trace: Trace) -> dict[str, Any]:
    """The contract's trace as it stands within its session."""
    whole = trace_v1(trace, frozenset({"io"}), observations=(), scores=())
    return {key: value for key, value in whole.items() if key not in _RELATED}


def trace_v1(
    trace: Trace, groups: frozenset[str], *, observations: Sequence[object], scores: Sequence[object]
) -> dict[str, Any]:
    """The contract's trace: observations and scores as ids in a list, whole in a single one."""
    has_payloads, has_metrics = "io" in groups, "metrics" in groups
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
        "observations": observations,
        "scores": scores,
        "totalCost": float(trace.total_cost) if has_metrics else _UNSELECTED,
        "latency": trace.latency_seconds if has_metrics else _UNSELECTED,
        "htmlPath": f"/project/{trace.project_id}/traces/{trace.id}",
    }

"""Sessions in the shape of the first API generation."""

from collections.abc import Sequence
from datetime import datetime

from heliograph.domain.traces import Trace
from serve_apps.api.shapes.traces import BareTraceV1, bare_trace_v1
from serve_apps.api.shapes.values import Instant, JsonShape, iso


class _SessionFields(JsonShape):
    id: str
    createdAt: Instant
    environment: str
    projectId: str


class SessionV1(_SessionFields):
    """A session."""


class WholeSessionV1(_SessionFields):
    """A session with its traces."""

    traces: Sequence[BareTraceV1]


def session_v1(session_id: str, project_id: str, *, began_at: datetime, environment: str) -> SessionV1:
    """The contract's session."""
    return {"id": session_id, "createdAt": iso(began_at), "environment": environment, "projectId": project_id}


def whole_session_v1(session_id: str, project_id: str, traces: Sequence[Trace]) -> WholeSessionV1:
    """The contract's session with its traces, the first of which tells its environment."""
    began_at = min(trace.created_at for trace in traces)
    session = session_v1(session_id, project_id, began_at=began_at, environment=traces[0].environment)
    return {**session, "traces": [bare_trace_v1(trace) for trace in traces]}

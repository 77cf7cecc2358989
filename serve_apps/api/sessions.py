"""Sessions, in the first API generation."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from heliograph.domain.identifiers import SessionId
from heliograph.domain.traces import traces_from
from serve_apps.api import parameters
from serve_apps.api.answers import answer, page_answer
from serve_apps.api.dependencies import ProjectSessions
from serve_apps.api.shapes.traces import bare_trace_v1
from serve_apps.api.shapes.values import iso
from serve_apps.authentication import ProjectPrincipal
from storage.clickhouse.sessions import SessionConditions

router = APIRouter(tags=["sessions"])


class SessionList(parameters.Paged):
    """Which sessions."""

    from_timestamp: parameters.Moment = None
    to_timestamp: parameters.Moment = None
    environment: Annotated[list[str], Field(max_length=parameters.MAX_PAGE_SIZE)] = Field(default_factory=list)


@router.get("/sessions")
async def list_sessions(
    asked: Annotated[SessionList, Query()], sessions: ProjectSessions, principal: ProjectPrincipal
) -> Response:
    """One page of sessions, the newest first."""
    page = asked.asked_page
    conditions = SessionConditions(asked.from_timestamp, asked.to_timestamp, asked.environment)
    found, total = await sessions.search_and_count(conditions, page)
    rows = [_session(row["session"], row["began_at"], row["place"]) for row in found.to_pylist()]
    return page_answer([row | {"projectId": principal.project_id} for row in rows], page, total)


@router.get("/sessions/{session_id:path}")
async def get_session(session_id: SessionId, sessions: ProjectSessions, principal: ProjectPrincipal) -> Response:
    """One session with its traces, the oldest first."""
    traces = list(traces_from(await sessions.traces_of(session_id)))
    began_at = min(trace.created_at for trace in traces)
    session = _session(session_id, began_at, traces[0].environment) | {"projectId": principal.project_id}
    return answer(session | {"traces": [bare_trace_v1(trace) for trace in traces]})


def _session(session_id: str, began_at: datetime, environment: str) -> dict[str, Any]:
    return {"id": session_id, "createdAt": iso(began_at), "environment": environment}

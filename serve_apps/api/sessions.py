"""Sessions, in the first API generation."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from heliograph.domain.identifiers import SessionId
from heliograph.domain.traces import traces_from
from serve_apps.api import parameters
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import ProjectSessions
from serve_apps.api.shapes.lists import PageOf
from serve_apps.api.shapes.sessions import SessionV1, WholeSessionV1, session_v1, whole_session_v1
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
) -> Answer[PageOf[SessionV1]]:
    """One page of sessions, the newest first."""
    page = asked.asked_page
    conditions = SessionConditions(asked.from_timestamp, asked.to_timestamp, asked.environment)
    found, total = await sessions.search_and_count(conditions, page)
    data = [
        session_v1(row["session"], principal.project_id, began_at=row["began_at"], environment=row["place"])
        for row in found.to_pylist()
    ]
    return page_answer(data, page, total)


@router.get("/sessions/{session_id:path}")
async def get_session(
    session_id: SessionId, sessions: ProjectSessions, principal: ProjectPrincipal
) -> Answer[WholeSessionV1]:
    """One session with its traces, the oldest first."""
    traces = list(traces_from(await sessions.traces_of(session_id)))
    return answer(whole_session_v1(session_id, principal.project_id, traces))

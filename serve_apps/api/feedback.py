"""Feedback on this product: who runs the server reads it with the admin key."""

from fastapi import APIRouter

from serve_apps.api.answers import Answer, answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.shapes.feedback import FeedbackBody
from serve_apps.api.shapes.lists import Identified
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.feedback import AllFeedback

router = APIRouter(prefix="/feedback", tags=["feedback"])


@router.post("", status_code=201)
async def submit_feedback(
    body: FeedbackBody, principal: ProjectPrincipal, dependencies: Dependencies
) -> Answer[Identified]:
    """Say what is good or bad about this product; nothing of it leaves the server."""
    return answer({"id": await AllFeedback(dependencies.database).add(principal.project_id, body.said)}, 201)

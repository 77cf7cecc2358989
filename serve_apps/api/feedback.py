"""Feedback on this product: who runs the server reads it with the admin key."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from heliograph.domain.feedback import FeedbackTarget, NewFeedback
from serve_apps.api.answers import answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.models import Body
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.feedback import AllFeedback

router = APIRouter(prefix="/feedback", tags=["feedback"])


class FeedbackBody(Body):
    """What is said of a tool, a command, a page or a route."""

    target_type: FeedbackTarget
    target: Annotated[Text, Field(min_length=1, max_length=200)]
    feedback: Annotated[Text, Field(min_length=1, max_length=3_000)]
    goal: Annotated[Text, Field(min_length=1, max_length=1_500)] | None = None
    reference_url: Annotated[Text, Field(max_length=2_000, pattern="^https?://")] | None = None

    @property
    def said(self) -> NewFeedback:
        """What it says."""
        return NewFeedback(
            self.target_type, self.target, self.feedback, goal=self.goal or "", reference_url=self.reference_url or ""
        )


@router.post("", status_code=201)
async def submit_feedback(body: FeedbackBody, principal: ProjectPrincipal, dependencies: Dependencies) -> Response:
    """Say what is good or bad about this product; nothing of it leaves the server."""
    kept: dict[str, Any] = {"id": await AllFeedback(dependencies.database).add(principal.project_id, body.said)}
    return answer(kept, 201)

"""Feedback on this product as the API takes and shows it."""

from typing import Annotated

from pydantic import Field

from heliograph.domain.feedback import Feedback, FeedbackTarget, NewFeedback
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.models import Body
from serve_apps.api.shapes.values import Instant, JsonShape, iso


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


class FeedbackShape(JsonShape):
    """What was said, by whose project and when."""

    id: str
    projectId: str
    targetType: FeedbackTarget
    target: str
    feedback: str
    goal: str | None
    referenceUrl: str | None
    createdAt: Instant


def feedback_shape(one: Feedback) -> FeedbackShape:
    """Feedback as administrators read it."""
    return {
        "id": one.id,
        "projectId": one.project_id,
        "targetType": one.said.target_type,
        "target": one.said.target,
        "feedback": one.said.feedback,
        "goal": one.said.goal or None,
        "referenceUrl": one.said.reference_url or None,
        "createdAt": iso(one.created_at),
    }

"""Scores, which both API generations share."""

from fastapi import APIRouter, Response

from heliograph.domain.deletions import SubjectType
from heliograph.domain.identifiers import ScoreId
from serve_apps.api.answers import answer
from serve_apps.api.dependencies import ProjectDeletions

router = APIRouter(tags=["score"])


@router.delete("/scores/{score_id}")
async def delete_score(score_id: ScoreId, deletions: ProjectDeletions) -> Response:
    """Delete a score of any kind; the row of its trace is computed anew without it, shortly after this call."""
    await deletions.accept(SubjectType.SCORE, [score_id])
    return answer({"message": "Score deleted successfully"}, 202)

"""Feedback of all projects."""

from collections.abc import Sequence

from sqlalchemy import delete, select

from heliograph.domain.feedback import KEPT, Feedback, FeedbackTarget, NewFeedback
from heliograph.domain.identifiers import ProjectId
from storage.postgres.connection import Database
from storage.postgres.tables.feedback import FeedbackRow


class AllFeedback:
    """What was said."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, project_id: ProjectId, new: NewFeedback) -> str:
        """Keep it and return its id; of a project that says more than is kept the earliest go."""
        row = FeedbackRow(
            project_id=project_id,
            target_type=new.target_type,
            target=new.target,
            feedback=new.feedback,
            goal=new.goal,
            reference_url=new.reference_url,
        )
        async with self._database.transaction() as session:
            session.add(row)
            await session.flush()
            own = FeedbackRow.project_id == project_id
            newest = select(FeedbackRow.id).where(own).order_by(FeedbackRow.created_at.desc(), FeedbackRow.id)
            await session.execute(delete(FeedbackRow).where(own, FeedbackRow.id.in_(newest.offset(KEPT))))
            return row.id

    async def newest(self, limit: int) -> Sequence[Feedback]:
        """Return so much, newest first."""
        query = select(FeedbackRow).order_by(FeedbackRow.created_at.desc(), FeedbackRow.id).limit(limit)
        async with self._database.transaction() as session:
            return [_feedback(row) for row in await session.scalars(query)]


def _feedback(row: FeedbackRow) -> Feedback:
    said = NewFeedback(FeedbackTarget(row.target_type), row.target, row.feedback, row.goal, row.reference_url)
    return Feedback(row.id, ProjectId(row.project_id), said, row.created_at)

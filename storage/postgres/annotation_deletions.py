"""What people have said about a subject goes with it."""

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.annotations import AnnotatedType, CommentedType
from heliograph.domain.deletions import SubjectType
from heliograph.domain.identifiers import ProjectId
from storage.postgres.tables.annotation_queues import AnnotationQueueItemRow
from storage.postgres.tables.comments import CommentRow


async def forget(
    session: AsyncSession, project_id: ProjectId, subject_type: SubjectType, *, subjects: Sequence[str]
) -> None:
    """Delete the comments on traces, with those on their observations, or on sessions, and their queue items."""
    of_project = CommentRow.project_id == project_id
    match subject_type:
        case SubjectType.TRACE:
            annotated = AnnotatedType.TRACE
            said = delete(CommentRow).where(of_project, CommentRow.trace_id.in_(subjects))
        case SubjectType.SESSION:
            annotated = AnnotatedType.SESSION
            is_session = CommentRow.object_type == CommentedType.SESSION
            said = delete(CommentRow).where(of_project, is_session, CommentRow.object_id.in_(subjects))
        case _:
            return
    await session.execute(said)
    await session.execute(
        delete(AnnotationQueueItemRow).where(
            AnnotationQueueItemRow.project_id == project_id,
            AnnotationQueueItemRow.object_type == annotated,
            AnnotationQueueItemRow.object_id.in_(subjects),
        )
    )

"""Annotation queues of projects, and who works on them."""

from collections.abc import Sequence

from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.access import Role
from heliograph.domain.annotations import AnnotationQueue, ItemStatus, Progress
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId, UserId
from heliograph.domain.not_found import AnnotationQueueNotFound, MemberNotFound
from storage.postgres.connection import Database
from storage.postgres.tables.annotation_queues import (
    AnnotationQueueAssignmentRow,
    AnnotationQueueItemRow,
    AnnotationQueueRow,
)
from storage.postgres.tables.memberships import OrganizationMembershipRow, ProjectMembershipRow
from storage.postgres.tables.projects import ProjectRow
from storage.postgres.tables.score_configs import ScoreConfigRow


class AnnotationQueues:
    """The queues of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._own = AnnotationQueueRow.project_id == project_id
        self._project_id = project_id

    async def page(self, page: Page) -> tuple[list[AnnotationQueue], int]:
        """Return one page, the newest first, and how many there are."""
        count = select(func.count()).select_from(AnnotationQueueRow).where(self._own)
        order = (AnnotationQueueRow.created_at.desc(), AnnotationQueueRow.id.desc())
        query = select(AnnotationQueueRow).where(self._own).order_by(*order).limit(page.size).offset(page.offset)
        async with self._database.transaction() as session:
            total = await session.scalar(count)
            return [_queue(row) for row in await session.scalars(query)], total or 0

    async def get(self, queue_id: str) -> AnnotationQueue:
        """Return one queue; raises AnnotationQueueNotFound."""
        async with self._database.transaction() as session:
            return await self._get(session, queue_id)

    async def create(self, name: str, description: str | None, score_config_ids: Sequence[str]) -> AnnotationQueue:
        """Create a queue; raises InvalidRequest when its name is taken, or a config does not exist."""
        row = AnnotationQueueRow(
            project_id=self._project_id,
            name=name,
            description=description,
            score_config_ids=list(dict.fromkeys(score_config_ids)),
        )
        async with self._database.transaction() as session:
            await self._require_configs(session, score_config_ids)
            session.add(row)
            await session.flush()
            await session.refresh(row)
            return _queue(row)

    async def change(
        self, queue_id: str, name: str, *, description: str | None, score_config_ids: Sequence[str]
    ) -> AnnotationQueue:
        """Give a queue another name, description and configs; raises AnnotationQueueNotFound and what `create` does."""
        async with self._database.transaction() as session:
            await self._require_configs(session, score_config_ids)
            row = await self._row(session, queue_id)
            row.name, row.description = name, description
            row.score_config_ids = list(dict.fromkeys(score_config_ids))
            row.updated_at = func.now()
            await session.flush()
            await session.refresh(row)
            return _queue(row)

    async def progress(self, queue_ids: Sequence[str]) -> dict[str, Progress]:
        """Return how far each of these queues is."""
        item = AnnotationQueueItemRow
        done = func.count().filter(item.status == ItemStatus.COMPLETED)
        of_project = item.project_id == self._project_id
        query = select(item.queue_id, done, func.count()).where(of_project, item.queue_id.in_(queue_ids))
        async with self._database.transaction() as session:
            found = {row[0]: Progress(row[1], row[2]) for row in await session.execute(query.group_by(item.queue_id))}
        return {queue_id: found.get(queue_id, Progress()) for queue_id in queue_ids}

    async def assign(self, queue_id: str, user_id: UserId) -> None:
        """Let a member of the project work on a queue; raises AnnotationQueueNotFound and MemberNotFound."""
        assigning = insert(AnnotationQueueAssignmentRow).values(queue_id=queue_id, user_id=user_id)
        async with self._database.transaction() as session:
            await self._get(session, queue_id)
            if await session.scalar(self._membership(user_id)) is None:
                raise MemberNotFound(user_id)
            await session.execute(assigning.on_conflict_do_nothing())

    async def unassign(self, queue_id: str, user_id: UserId) -> None:
        """Take a user off a queue, whether or not they were on it; raises AnnotationQueueNotFound."""
        of_user = AnnotationQueueAssignmentRow.user_id == user_id
        removing = delete(AnnotationQueueAssignmentRow).where(
            AnnotationQueueAssignmentRow.queue_id == queue_id, of_user
        )
        async with self._database.transaction() as session:
            await self._get(session, queue_id)
            await session.execute(removing)

    async def assigned(self, queue_id: str) -> list[UserId]:
        """Return who works on a queue, in the order in which they were assigned; raises AnnotationQueueNotFound."""
        row = AnnotationQueueAssignmentRow
        query = select(row.user_id).where(row.queue_id == queue_id).order_by(row.created_at, row.user_id)
        async with self._database.transaction() as session:
            await self._get(session, queue_id)
            return [UserId(user_id) for user_id in await session.scalars(query)]

    async def _get(self, session: AsyncSession, queue_id: str) -> AnnotationQueue:
        return _queue(await self._row(session, queue_id))

    async def _row(self, session: AsyncSession, queue_id: str) -> AnnotationQueueRow:
        row = await session.scalar(select(AnnotationQueueRow).where(self._own, AnnotationQueueRow.id == queue_id))
        if row is None:
            raise AnnotationQueueNotFound(queue_id)
        return row

    async def _require_configs(self, session: AsyncSession, config_ids: Sequence[str]) -> None:
        of_project = ScoreConfigRow.project_id == self._project_id
        query = select(ScoreConfigRow.id).where(of_project, ScoreConfigRow.id.in_(config_ids))
        known = set(await session.scalars(query))
        missing = [config_id for config_id in config_ids if config_id not in known]
        if missing:
            raise InvalidRequest("scoreConfigIds", f"{missing[0]!r} is no score config of this project")

    def _membership(self, user_id: UserId) -> Select[str]:
        """The project, if the user has a role in it, of its own or its organization's."""
        of_organization = (OrganizationMembershipRow.organization_id == ProjectRow.organization_id) & (
            OrganizationMembershipRow.user_id == user_id
        )
        of_project = (ProjectMembershipRow.project_id == ProjectRow.id) & (ProjectMembershipRow.user_id == user_id)
        role = func.coalesce(ProjectMembershipRow.role, OrganizationMembershipRow.role, Role.NONE)
        return (
            select(ProjectRow.id)
            .outerjoin(OrganizationMembershipRow, of_organization)
            .outerjoin(ProjectMembershipRow, of_project)
            .where(ProjectRow.id == self._project_id, role != Role.NONE)
        )


def _queue(row: AnnotationQueueRow) -> AnnotationQueue:
    return AnnotationQueue(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        description=row.description,
        score_config_ids=tuple(row.score_config_ids),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

"""The projects of one organization, as its administrators create, change and end them."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.access import Project
from heliograph.domain.errors import Conflict
from heliograph.domain.identifiers import OrganizationId, ProjectId
from heliograph.domain.not_found import OrganizationNotFound, ProjectNotFound
from storage.postgres.api_keys import CHANGES_CHANNEL
from storage.postgres.connection import Database
from storage.postgres.projects import project_from
from storage.postgres.tables.api_keys import ApiKeyRow
from storage.postgres.tables.organizations import OrganizationRow
from storage.postgres.tables.projects import ProjectRow


class OrganizationProjects:
    """The projects of one organization that are not deleted."""

    def __init__(self, database: Database, organization_id: OrganizationId) -> None:
        self._database = database
        self._organization_id = organization_id
        self._own = (ProjectRow.organization_id == organization_id) & ProjectRow.deleted_at.is_(None)

    async def get(self, project_id: ProjectId) -> Project:
        """Return one project; raises ProjectNotFound."""
        async with self._database.transaction() as session:
            return project_from(await self._row(session, project_id))

    async def create(self, name: str, metadata: dict[str, Any], retention_days: int | None) -> Project:
        """Create a project; raises Conflict when its name is taken."""
        row = ProjectRow(
            organization_id=self._organization_id, name=name, metadata_=metadata, retention_days=retention_days
        )
        async with self._database.transaction() as session:
            await self._reserve(session, name)
            session.add(row)
            await session.flush()
            await session.refresh(row)
            return project_from(row)

    async def change(
        self, project_id: ProjectId, *, name: str, metadata: dict[str, Any] | None, retention_days: int | None
    ) -> Project:
        """Change a project; what is None stays, and a retention of 0 days keeps everything.

        Raises:
            ProjectNotFound: the organization has none of that id.
            Conflict: the name is taken.
        """
        async with self._database.transaction() as session:
            row = await self._row(session, project_id)
            if name != row.name:
                await self._reserve(session, name)
            row.name = name
            row.metadata_ = row.metadata_ if metadata is None else metadata
            row.retention_days = row.retention_days if retention_days is None else retention_days or None
            row.updated_at = func.now()
            await session.flush()
            await session.refresh(row)
            return project_from(row)

    async def end(self, project_id: ProjectId) -> None:
        """Mark a project as deleted: its keys end everywhere; its events follow. Raises ProjectNotFound."""
        notices = select(func.pg_notify(CHANGES_CHANNEL, ApiKeyRow.public_key)).where(
            ApiKeyRow.project_id == project_id
        )
        async with self._database.transaction() as session:
            row = await self._row(session, project_id)
            row.deleted_at = func.now()
            await session.execute(notices)

    async def _row(self, session: AsyncSession, project_id: ProjectId) -> ProjectRow:
        row = await session.scalar(select(ProjectRow).where(self._own, ProjectRow.id == project_id))
        if row is None:
            raise ProjectNotFound(project_id)
        return row

    async def _reserve(self, session: AsyncSession, name: str) -> None:
        """Hold the organization until the end of the transaction, so that nobody else takes the name."""
        if await session.get(OrganizationRow, self._organization_id, with_for_update=True) is None:
            raise OrganizationNotFound(self._organization_id)
        if await session.scalar(select(ProjectRow.id).where(self._own, ProjectRow.name == name)) is not None:
            raise Conflict("name", f"the organization has a project {name!r} already")

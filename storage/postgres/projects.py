"""Projects and the organizations that own them."""

from datetime import datetime

from sqlalchemy import delete, null, select, update

from heliograph.domain.access import Project
from heliograph.domain.identifiers import OrganizationId, ProjectId
from heliograph.domain.not_found import ProjectNotFound
from storage.postgres.connection import Database
from storage.postgres.tables.audit_log import AuditRow
from storage.postgres.tables.declarative import fresh_id
from storage.postgres.tables.organizations import OrganizationRow
from storage.postgres.tables.projects import ProjectRow

DEFAULT_ORGANIZATION = "My organization"
_LIVING = select(ProjectRow).where(ProjectRow.deleted_at.is_(None)).order_by(ProjectRow.created_at, ProjectRow.id)


class Projects:
    """All projects that are not deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, project_id: ProjectId) -> Project:
        """Return one project; raises ProjectNotFound."""
        async with self._database.transaction() as session:
            row = await session.scalar(_LIVING.where(ProjectRow.id == project_id))
        if row is None:
            raise ProjectNotFound(project_id)
        return project_from(row)

    async def by_name(self, name: str) -> Project | None:
        """Return the oldest project of that name, or nothing."""
        async with self._database.transaction() as session:
            row = await session.scalar(_LIVING.where(ProjectRow.name == name).limit(1))
        return project_from(row) if row is not None else None

    async def named(self, name_or_id: str) -> Project:
        """Return the oldest project of that name, or the one of that id; raises ProjectNotFound."""
        return await self.by_name(name_or_id) or await self.get(ProjectId(name_or_id))

    async def oldest(self) -> Project | None:
        """Return the project that was created first, or nothing."""
        async with self._database.transaction() as session:
            row = await session.scalar(_LIVING.limit(1))
        return project_from(row) if row is not None else None

    async def list_of(self, organization_id: OrganizationId) -> list[Project]:
        """Return the projects of an organization, oldest first."""
        async with self._database.transaction() as session:
            rows = await session.scalars(_LIVING.where(ProjectRow.organization_id == organization_id))
            return [project_from(row) for row in rows]

    async def create(
        self, name: str, *, project_id: str = "", organization_id: str = "", organization_name: str = ""
    ) -> Project:
        """Create a project, and its organization when there is none of that id or name.

        Without an organization's id or name the project goes to the oldest organization.
        """
        async with self._database.transaction() as session:
            found = select(OrganizationRow).order_by(OrganizationRow.created_at, OrganizationRow.id).limit(1)
            if organization_id:
                found = found.where(OrganizationRow.id == organization_id)
            elif organization_name:
                found = found.where(OrganizationRow.name == organization_name)
            organization = await session.scalar(found) or OrganizationRow(
                id=organization_id or fresh_id(), name=organization_name or DEFAULT_ORGANIZATION
            )
            row = ProjectRow(id=project_id or fresh_id(), name=name, organization=organization)
            session.add(row)
            await session.flush()
            await session.refresh(row)
            return project_from(row)

    async def remove(self, project_id: ProjectId) -> None:
        """Remove a project with its keys, memberships and whatever else belongs to it alone.

        The audit log keeps who has changed what in it, but no longer from what to what.
        """
        forgotten = update(AuditRow).where(AuditRow.project_id == project_id).values(before=null(), after=null())
        async with self._database.transaction() as session:
            await session.execute(delete(ProjectRow).where(ProjectRow.id == project_id))
            await session.execute(forgotten)

    async def ended(self) -> list[tuple[ProjectId, datetime]]:
        """Return the projects that are marked as deleted, and since when."""
        query = select(ProjectRow.id, ProjectRow.deleted_at).where(ProjectRow.deleted_at.is_not(None))
        async with self._database.transaction() as session:
            rows = (await session.execute(query.order_by(ProjectRow.deleted_at))).tuples()
            return [(ProjectId(project_id), at) for project_id, at in rows if at is not None]


def project_from(row: ProjectRow) -> Project:
    """Make the domain's project of a row."""
    return Project(
        id=ProjectId(row.id),
        name=row.name,
        organization_id=OrganizationId(row.organization_id),
        organization_name=row.organization.name,
        metadata=row.metadata_,
        retention_days=row.retention_days,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

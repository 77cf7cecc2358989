"""Organizations."""

from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.access import Organization
from heliograph.domain.errors import Conflict
from heliograph.domain.identifiers import OrganizationId
from heliograph.domain.not_found import OrganizationNotFound
from storage.postgres.connection import Database
from storage.postgres.tables.organizations import OrganizationRow
from storage.postgres.tables.projects import ProjectRow


class Organizations:
    """All organizations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Organization]:
        """Return every organization, oldest first."""
        query = select(OrganizationRow).order_by(OrganizationRow.created_at, OrganizationRow.id)
        async with self._database.transaction() as session:
            return [_organization(row) for row in await session.scalars(query)]

    async def get(self, organization_id: OrganizationId) -> Organization:
        """Return one organization; raises OrganizationNotFound."""
        async with self._database.transaction() as session:
            return _organization(await _row(session, organization_id))

    async def named(self, name_or_id: str) -> Organization:
        """Return the oldest organization of that name, or the one of that id; raises OrganizationNotFound."""
        found = [one for one in await self.all() if name_or_id in {one.name, one.id}]
        if not found:
            raise OrganizationNotFound(name_or_id)
        return found[0]

    async def create(self, name: str, metadata: dict[str, Any]) -> Organization:
        """Create an organization."""
        row = OrganizationRow(name=name, metadata_=metadata)
        async with self._database.transaction() as session:
            session.add(row)
            await session.flush()
            await session.refresh(row)
            return _organization(row)

    async def change(
        self, organization_id: OrganizationId, *, name: str, metadata: dict[str, Any] | None
    ) -> Organization:
        """Give it another name, and other metadata unless they are None; raises OrganizationNotFound."""
        async with self._database.transaction() as session:
            row = await _row(session, organization_id)
            row.name = name
            if metadata is not None:
                row.metadata_ = metadata
            return _organization(row)

    async def remove(self, organization_id: OrganizationId) -> None:
        """Remove an organization with its keys and memberships.

        Raises:
            OrganizationNotFound: there is none of that id.
            Conflict: it has projects, also when they are only marked as deleted.
        """
        projects = select(func.count()).select_from(ProjectRow).where(ProjectRow.organization_id == organization_id)
        async with self._database.transaction() as session:
            await _row(session, organization_id)
            if count := await session.scalar(projects):
                raise Conflict("organization", f"has {count} projects, or some that are being deleted: they go first")
            await session.execute(delete(OrganizationRow).where(OrganizationRow.id == organization_id))


async def _row(session: AsyncSession, organization_id: OrganizationId) -> OrganizationRow:
    row = await session.get(OrganizationRow, organization_id, with_for_update=True)
    if row is None:
        raise OrganizationNotFound(organization_id)
    return row


def _organization(row: OrganizationRow) -> Organization:
    return Organization(OrganizationId(row.id), row.name, row.metadata_, row.created_at)

"""Who belongs to an organization or a project, and in which role."""

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.access import Member, Role
from heliograph.domain.identifiers import OrganizationId, ProjectId, UserId
from heliograph.domain.not_found import MemberNotFound, ProjectNotFound, UserNotFound
from storage.postgres.connection import Database
from storage.postgres.tables.memberships import OrganizationMembershipRow, ProjectMembershipRow
from storage.postgres.tables.projects import ProjectRow
from storage.postgres.tables.users import UserRow
from storage.postgres.users import user_from

_Membership = type[OrganizationMembershipRow] | type[ProjectMembershipRow]


class OrganizationMembers:
    """The members of one organization."""

    def __init__(self, database: Database, organization_id: OrganizationId) -> None:
        self._database = database
        self._organization_id = organization_id
        self._own = OrganizationMembershipRow.organization_id == organization_id

    async def all(self) -> list[Member]:
        """Return every member, in the order in which they joined."""
        async with self._database.transaction() as session:
            return await _members(session, OrganizationMembershipRow, self._organization_id)

    async def get(self, user_id: UserId) -> Member:
        """Return one member; raises UserNotFound."""
        async with self._database.transaction() as session:
            found = await _members(session, OrganizationMembershipRow, self._organization_id, user_id=user_id)
        if not found:
            raise UserNotFound(user_id)
        return found[0]

    async def put(self, user_id: UserId, role: Role) -> Member:
        """Give a user this role, in place of one that they may have; raises UserNotFound."""
        joining = insert(OrganizationMembershipRow).values(
            organization_id=self._organization_id, user_id=user_id, role=role
        )
        async with self._database.transaction() as session:
            if await session.get(UserRow, user_id) is None:
                raise UserNotFound(user_id)
            await session.execute(
                joining.on_conflict_do_update(index_elements=["organization_id", "user_id"], set_={"role": role})
            )
        return await self.get(user_id)

    async def remove(self, user_id: UserId) -> None:
        """Take a user out of the organization and of its projects; raises UserNotFound."""
        projects = select(ProjectRow.id).where(ProjectRow.organization_id == self._organization_id)
        of_projects = delete(ProjectMembershipRow).where(
            ProjectMembershipRow.user_id == user_id, ProjectMembershipRow.project_id.in_(projects)
        )
        leaving = delete(OrganizationMembershipRow).where(self._own, OrganizationMembershipRow.user_id == user_id)
        async with self._database.transaction() as session:
            if await session.scalar(leaving.returning(OrganizationMembershipRow.id)) is None:
                raise UserNotFound(user_id)
            await session.execute(of_projects)


class ProjectMembers:
    """The members of one project of an organization who have another role there; raises ProjectNotFound."""

    def __init__(self, database: Database, organization_id: OrganizationId, project_id: ProjectId) -> None:
        self._database = database
        self._organization_id = organization_id
        self._project_id = project_id

    async def all(self) -> list[Member]:
        """Return every one of them, in the order in which they joined."""
        async with self._database.transaction() as session:
            await self._require(session)
            return await _members(session, ProjectMembershipRow, self._project_id)

    async def put(self, user_id: UserId, role: Role) -> Member:
        """Give a member of the organization this role in the project; raises MemberNotFound."""
        joining = insert(ProjectMembershipRow).values(project_id=self._project_id, user_id=user_id, role=role)
        async with self._database.transaction() as session:
            await self._require(session)
            if not await _members(session, OrganizationMembershipRow, self._organization_id, user_id=user_id):
                raise MemberNotFound(user_id)
            await session.execute(
                joining.on_conflict_do_update(index_elements=["project_id", "user_id"], set_={"role": role})
            )
            return (await _members(session, ProjectMembershipRow, self._project_id, user_id=user_id))[0]

    async def remove(self, user_id: UserId) -> None:
        """Take away a role in the project, so that the one in its organization counts; raises MemberNotFound."""
        leaving = delete(ProjectMembershipRow).where(
            ProjectMembershipRow.project_id == self._project_id, ProjectMembershipRow.user_id == user_id
        )
        async with self._database.transaction() as session:
            await self._require(session)
            if await session.scalar(leaving.returning(ProjectMembershipRow.user_id)) is None:
                raise MemberNotFound(user_id)

    async def _require(self, session: AsyncSession) -> None:
        query = select(ProjectRow.id).where(
            ProjectRow.id == self._project_id,
            ProjectRow.organization_id == self._organization_id,
            ProjectRow.deleted_at.is_(None),
        )
        if await session.scalar(query) is None:
            raise ProjectNotFound(self._project_id)


class Roles:
    """Which role a user has, in the organization and where a project says otherwise in it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def in_organization(self, user_id: UserId, organization_id: OrganizationId) -> Role:
        """Return the user's role; NONE for whoever does not belong to it."""
        query = select(OrganizationMembershipRow.role).where(
            OrganizationMembershipRow.user_id == user_id, OrganizationMembershipRow.organization_id == organization_id
        )
        async with self._database.transaction() as session:
            return Role(await session.scalar(query) or Role.NONE)

    async def in_project(self, user_id: UserId, project_id: ProjectId) -> Role:
        """Return the role in the project, or else in its organization; NONE where the project does not exist."""
        of_organization = (OrganizationMembershipRow.organization_id == ProjectRow.organization_id) & (
            OrganizationMembershipRow.user_id == user_id
        )
        of_project = (ProjectMembershipRow.project_id == ProjectRow.id) & (ProjectMembershipRow.user_id == user_id)
        query = (
            select(func.coalesce(ProjectMembershipRow.role, OrganizationMembershipRow.role, Role.NONE))
            .select_from(ProjectRow)
            .outerjoin(OrganizationMembershipRow, of_organization)
            .outerjoin(ProjectMembershipRow, of_project)
            .where(ProjectRow.id == project_id, ProjectRow.deleted_at.is_(None))
        )
        async with self._database.transaction() as session:
            return Role(await session.scalar(query) or Role.NONE)


async def _members(
    session: AsyncSession, table: _Membership, owner_id: str, *, user_id: UserId | None = None
) -> list[Member]:
    owner = table.organization_id if table is OrganizationMembershipRow else table.project_id  # type: ignore[union-attr]
    query = select(table.role, table.created_at, UserRow).join(UserRow, UserRow.id == table.user_id)
    if user_id is not None:
        query = query.where(table.user_id == user_id)
    query = query.where(owner == owner_id)
    rows = (await session.execute(query.order_by(table.created_at, table.user_id))).tuples()
    return [Member(user_from(user), Role(role), joined_at) for role, joined_at, user in rows]

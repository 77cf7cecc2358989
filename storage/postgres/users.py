"""Users, their passwords and their memberships."""

import asyncio
from collections.abc import Collection

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.access import Project, Role, User
from heliograph.domain.identifiers import OrganizationId, ProjectId, UserId
from heliograph.domain.not_found import UserNotFound
from storage.postgres.connection import Database
from storage.postgres.projects import project_from
from storage.postgres.tables.memberships import OrganizationMembershipRow, ProjectMembershipRow
from storage.postgres.tables.projects import ProjectRow
from storage.postgres.tables.users import UserRow

_HASHER = PasswordHasher()
# Verified when there is no such user, so that the time of an answer does not tell which addresses exist.
_NOBODY = _HASHER.hash("nobody")


class Users:
    """Everyone who can sign in. Addresses are compared without regard to case."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, email: str, name: str, password: str = "") -> User:
        """Create a user, who cannot sign in without a password; raises InvalidRequest when the address is taken."""
        digest = await asyncio.to_thread(_HASHER.hash, password) if password else None
        row = UserRow(email=email.strip().lower(), name=name, password_hash=digest)
        async with self._database.transaction() as session:
            session.add(row)
        return user_from(row)

    async def change(self, user_id: UserId, *, email: str = "", name: str = "", password: str = "") -> User:
        """Give a user another address, name or password; what is empty stays. Raises UserNotFound, InvalidRequest."""
        digest = await asyncio.to_thread(_HASHER.hash, password) if password else ""
        async with self._database.transaction() as session:
            row = await session.get(UserRow, user_id, with_for_update=True)
            if row is None:
                raise UserNotFound(user_id)
            row.email = email.strip().lower() or row.email
            row.name = name or row.name
            row.password_hash = digest or row.password_hash
        return user_from(row)

    async def by_email(self, email: str) -> User | None:
        """Return the user of an address, or nothing."""
        row = await self._row(email)
        return user_from(row) if row is not None else None

    async def verify(self, email: str, password: str) -> User | None:
        """Return the user when the password is theirs."""
        row = await self._row(email)
        digest = row.password_hash if row is not None and row.password_hash else _NOBODY
        if not await asyncio.to_thread(_is_password, digest, password) or digest is _NOBODY or row is None:
            return None
        return user_from(row)

    async def join_organization(self, user_id: UserId, organization_id: OrganizationId, role: Role) -> None:
        """Give a user a role in an organization, in place of the one they had."""
        joining = insert(OrganizationMembershipRow).values(organization_id=organization_id, user_id=user_id, role=role)
        async with self._database.transaction() as session:
            await session.execute(
                joining.on_conflict_do_update(index_elements=["organization_id", "user_id"], set_={"role": role})
            )

    async def join_project(self, user_id: UserId, project_id: ProjectId, role: Role) -> None:
        """Give a user a role in one project, which overrides the one in its organization."""
        joining = insert(ProjectMembershipRow).values(project_id=project_id, user_id=user_id, role=role)
        async with self._database.transaction() as session:
            await session.execute(
                joining.on_conflict_do_update(index_elements=["project_id", "user_id"], set_={"role": role})
            )

    async def projects_of(self, user_id: UserId) -> list[Project]:
        """Return the projects in which the user has a role other than NONE, oldest first."""
        of_organization = (OrganizationMembershipRow.organization_id == ProjectRow.organization_id) & (
            OrganizationMembershipRow.user_id == user_id
        )
        of_project = (ProjectMembershipRow.project_id == ProjectRow.id) & (ProjectMembershipRow.user_id == user_id)
        role = func.coalesce(ProjectMembershipRow.role, OrganizationMembershipRow.role, Role.NONE)
        query = (
            select(ProjectRow)
            .outerjoin(OrganizationMembershipRow, of_organization)
            .outerjoin(ProjectMembershipRow, of_project)
            .where(ProjectRow.deleted_at.is_(None), role != Role.NONE)
            .order_by(ProjectRow.created_at, ProjectRow.id)
        )
        async with self._database.transaction() as session:
            return [project_from(row) for row in await session.scalars(query)]

    async def names_of(self, user_ids: Collection[str]) -> dict[str, str]:
        """Return the names of users by their ids; of one without a name the address."""
        query = select(UserRow).where(UserRow.id.in_(sorted(user_ids)))
        async with self._database.transaction() as session:
            return {row.id: row.name or row.email for row in await session.scalars(query)}

    async def _row(self, email: str) -> UserRow | None:
        query = select(UserRow).where(UserRow.email == email.strip().lower())
        async with self._database.transaction() as session:
            return (await session.scalars(query)).one_or_none()


def _is_password(digest: str, password: str) -> bool:
    try:
        return _HASHER.verify(digest, password)
    except VerificationError:
        return False


def user_from(row: UserRow) -> User:
    """Make the domain's user of a row."""
    return User(id=UserId(row.id), email=row.email, name=row.name)

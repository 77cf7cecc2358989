"""Invitations: who may become a member of an organization, and of one of its projects with another role."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.access import Invitation, Role, User
from heliograph.domain.identifiers import OrganizationId, ProjectId
from heliograph.domain.not_found import NotFound
from storage.postgres.connection import Database
from storage.postgres.tables.declarative import fresh_id
from storage.postgres.tables.invitations import InvitationRow
from storage.postgres.users import Users

LIFETIME = timedelta(days=7)


class InvitationNotFound(NotFound):
    """There is no such invitation, or it has ended or was used."""


class Invitations:
    """The invitations of all organizations. Their tokens are shown once, and only digests of them are stored."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        email: str,
        organization_id: OrganizationId,
        *,
        role: Role,
        project_id: ProjectId | None = None,
        project_role: Role | None = None,
    ) -> tuple[Invitation, str]:
        """Invite an address, in place of an earlier invitation to the organization; returns the token, too."""
        token = secrets.token_urlsafe(24)
        values = {
            "role": role,
            "project_id": project_id,
            "project_role": project_role,
            "token_digest": _digest(token),
            "expires_at": datetime.now(UTC) + LIFETIME,
        }
        inviting = insert(InvitationRow).values(
            id=fresh_id(), email=email.strip().lower(), organization_id=organization_id, **values
        )
        inviting = inviting.on_conflict_do_update(index_elements=["organization_id", "email"], set_=values)
        async with self._database.transaction() as session:
            return _invitation((await session.scalars(inviting.returning(InvitationRow))).one()), token

    async def of(self, organization_id: OrganizationId) -> list[Invitation]:
        """Return the open invitations to an organization, oldest first."""
        query = select(InvitationRow).where(InvitationRow.organization_id == organization_id, _is_open())
        async with self._database.transaction() as session:
            rows = await session.scalars(query.order_by(InvitationRow.created_at, InvitationRow.id))
            return [_invitation(row) for row in rows]

    async def withdraw(self, organization_id: OrganizationId, invitation_id: str) -> None:
        """End an invitation; raises InvitationNotFound."""
        own = (InvitationRow.organization_id == organization_id, InvitationRow.id == invitation_id)
        async with self._database.transaction() as session:
            if await session.scalar(delete(InvitationRow).where(*own).returning(InvitationRow.id)) is None:
                raise InvitationNotFound

    async def accept(self, token: str, *, name: str, password: str) -> User:
        """Make whoever shows the token a member; who is no user yet becomes one with this name and password.

        Raises:
            InvitationNotFound: it has ended, or somebody has used it.
        """
        taking = delete(InvitationRow).where(InvitationRow.token_digest == _digest(token), _is_open())
        async with self._database.transaction() as session:
            row = await session.scalar(taking.returning(InvitationRow))
        if row is None:
            raise InvitationNotFound
        invitation, users = _invitation(row), Users(self._database)
        user = await users.by_email(invitation.email) or await users.create(invitation.email, name, password)
        await self._join(user, invitation)
        return user

    async def accept_all(self, user: User) -> None:
        """Accept whatever a user is invited to whose address somebody else has verified."""
        taking = delete(InvitationRow).where(InvitationRow.email == user.email, _is_open())
        async with self._database.transaction() as session:
            rows = list(await session.scalars(taking.returning(InvitationRow)))
        for row in rows:
            await self._join(user, _invitation(row))

    async def is_invited(self, email: str) -> bool:
        """Whether an address has an open invitation."""
        query = select(InvitationRow.id).where(InvitationRow.email == email.strip().lower(), _is_open()).limit(1)
        async with self._database.transaction() as session:
            return await session.scalar(query) is not None

    async def _join(self, user: User, invitation: Invitation) -> None:
        users = Users(self._database)
        await users.join_organization(user.id, invitation.organization_id, invitation.role)
        if invitation.project_id is not None and invitation.project_role is not None:
            await users.join_project(user.id, invitation.project_id, invitation.project_role)


def _is_open() -> ColumnElement[bool]:
    return InvitationRow.expires_at > datetime.now(UTC)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _invitation(row: InvitationRow) -> Invitation:
    return Invitation(
        id=row.id,
        email=row.email,
        organization_id=OrganizationId(row.organization_id),
        role=Role(row.role),
        project_id=ProjectId(row.project_id) if row.project_id else None,
        project_role=Role(row.project_role) if row.project_role else None,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )

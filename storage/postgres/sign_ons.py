"""Who somebody is here whom an identity provider has signed in."""

import contextlib

from sqlalchemy import or_, select

from heliograph.domain.access import Role, User
from heliograph.domain.audit import Actor, ActorType, act_as
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.identifiers import OrganizationId
from storage.postgres.connection import Database
from storage.postgres.invitations import Invitations
from storage.postgres.tables.organizations import OrganizationRow
from storage.postgres.users import Users


class SignOns:
    """Finds the user of a verified address, or makes one of whoever was invited.

    Args:
        database: where users and invitations are.
        organization: the id or the name of the one that uninvited people join; empty keeps them out.
        role: what they are there.
    """

    def __init__(self, database: Database, organization: str = "", role: Role = Role.MEMBER) -> None:
        self._database = database
        self._users = Users(database)
        self._invitations = Invitations(database)
        self._organization = organization
        self._role = role

    async def user(self, email: str, name: str) -> User | None:
        """The user of an address that was verified; what they are invited to they have joined. None for a stranger."""
        act_as(Actor(ActorType.SYSTEM, name="single sign-on"))
        user = await self._users.by_email(email)
        if user is None:
            if await self._invitations.is_invited(email):
                user = await self._created(email, name)
            elif organization := await self._joined():
                user = await self._created(email, name)
                await self._users.join_organization(user.id, organization, self._role)
            else:
                return None
        await self._invitations.accept_all(user)
        return user

    async def _created(self, email: str, name: str) -> User:
        with contextlib.suppress(InvalidRequest):
            return await self._users.create(email, name)
        # Two browsers of one person came at once.
        user = await self._users.by_email(email)
        if user is None:
            reason = "cannot be kept"
            raise InvalidRequest("email", reason)
        return user

    async def _joined(self) -> OrganizationId | None:
        """The organization that strangers join, or nothing when there is no such one."""
        if not self._organization:
            return None
        named = or_(OrganizationRow.id == self._organization, OrganizationRow.name == self._organization)
        oldest = select(OrganizationRow.id).where(named).order_by(OrganizationRow.created_at, OrganizationRow.id)
        async with self._database.transaction() as session:
            found = await session.scalar(oldest.limit(1))
        return OrganizationId(found) if found else None

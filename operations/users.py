"""Users and organizations as the commands create and change them."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

from heliograph.domain.access import Invitation, IssuedKey, OfOrganization, Organization, Role
from heliograph.domain.audit import AuditEntry
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import UserNotFound
from heliograph.settings import Settings
from storage.postgres.api_keys import ApiKeys
from storage.postgres.audit_log import AuditLog
from storage.postgres.connection import Database, opened
from storage.postgres.invitations import Invitations
from storage.postgres.organizations import Organizations
from storage.postgres.projects import Projects
from storage.postgres.users import Users

_T = TypeVar("_T")


def reset_password(settings: Settings, email: str, password: str) -> str:
    """Give a user this password, or a generated one, and return it; raises UserNotFound."""
    chosen = password or secrets.token_urlsafe(12)

    async def resetting(database: Database) -> str:
        users = Users(database)
        user = await users.by_email(email)
        if user is None:
            raise UserNotFound(email)
        await users.change(user.id, password=chosen)
        return chosen

    return _run(settings, resetting)


def invite(settings: Settings, email: str, organization: str, *, role: Role) -> tuple[Invitation, str]:
    """An invitation and its token, which is shown only here; raises OrganizationNotFound."""

    async def inviting(database: Database) -> tuple[Invitation, str]:
        found = await Organizations(database).named(organization)
        return await Invitations(database).create(email, found.id, role=role)

    return _run(settings, inviting)


def accept(settings: Settings, token: str, *, name: str, password: str) -> str:
    """Make whoever was invited a user and a member; returns their address. Raises InvitationNotFound."""

    async def accepting(database: Database) -> str:
        return (await Invitations(database).accept(token, name=name, password=password)).email

    return _run(settings, accepting)


def organizations(settings: Settings) -> list[Organization]:
    """Every organization, oldest first."""
    return _run(settings, lambda database: Organizations(database).all())


def create_organization(settings: Settings, name: str) -> Organization:
    """A new organization."""
    return _run(settings, lambda database: Organizations(database).create(name, {}))


def create_organization_key(settings: Settings, organization: str, note: str) -> IssuedKey:
    """A key pair of an organization itself; raises OrganizationNotFound."""

    async def creating(database: Database) -> IssuedKey:
        found = await Organizations(database).named(organization)
        return await ApiKeys(database, settings.pepper).create(OfOrganization(found.id), note=note)

    return _run(settings, creating)


def audit(settings: Settings, limit: int, *, project: str, resource_type: str) -> list[AuditEntry]:
    """The latest changes, of a project by its name or id, or of all; raises ProjectNotFound."""

    async def reading(database: Database) -> list[AuditEntry]:
        found: ProjectId | None = None
        if project:
            known = await Projects(database).by_name(project)
            # The log outlives the project: an id that there is none of any more is one, too.
            found = known.id if known is not None else ProjectId(project)
        return await AuditLog(database).latest(limit, project_id=found, resource_type=resource_type)

    return _run(settings, reading)


def _run(settings: Settings, call: Callable[[Database], Awaitable[_T]]) -> _T:
    async def calling() -> _T:
        async with opened(settings.postgres_dsn) as database:
            return await call(database)

    return asyncio.run(calling())

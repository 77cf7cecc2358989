"""Invitations: a token makes whoever was invited a member, once."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from heliograph.domain.access import Project, Role
from storage.postgres.connection import Database
from storage.postgres.invitations import InvitationNotFound, Invitations
from storage.postgres.memberships import Roles
from storage.postgres.tables.invitations import InvitationRow
from storage.postgres.users import Users


@pytest.fixture
def email() -> str:
    return f"{uuid.uuid4()}@example.org"


async def test_whoever_accepts_becomes_a_user_and_a_member_once(
    database: Database, project: Project, email: str
) -> None:
    invitations = Invitations(database)
    invitation, token = await invitations.create(
        email.upper(), project.organization_id, role=Role.VIEWER, project_id=project.id, project_role=Role.ADMIN
    )
    assert invitation in await invitations.of(project.organization_id)

    user = await invitations.accept(token, name="Ada", password="secret word")

    assert await Users(database).verify(email, "secret word") == user
    roles = Roles(database)
    assert await roles.in_organization(user.id, project.organization_id) is Role.VIEWER
    assert await roles.in_project(user.id, project.id) is Role.ADMIN
    assert invitation not in await invitations.of(project.organization_id)
    with pytest.raises(InvitationNotFound):
        await invitations.accept(token, name="Eve", password="other")


async def test_a_user_keeps_name_and_password(database: Database, project: Project, email: str) -> None:
    users = Users(database)
    known = await users.create(email, "Ada", "first")
    _, token = await Invitations(database).create(email, project.organization_id, role=Role.MEMBER)
    assert await Invitations(database).accept(token, name="Eve", password="second") == known
    assert await users.verify(email, "first") == known


async def test_an_invitation_ends_by_time_by_withdrawal_and_by_another_one(
    database: Database, project: Project, email: str
) -> None:
    invitations, organization = Invitations(database), project.organization_id
    _, first = await invitations.create(email, organization, role=Role.MEMBER)
    invitation, second = await invitations.create(email, organization, role=Role.OWNER)
    with pytest.raises(InvitationNotFound):
        await invitations.accept(first, name="Ada", password="word")
    async with database.transaction() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(update(InvitationRow).where(InvitationRow.id == invitation.id).values(expires_at=past))
    with pytest.raises(InvitationNotFound):
        await invitations.accept(second, name="Ada", password="word")
    again, third = await invitations.create(email, organization, role=Role.OWNER)
    await invitations.withdraw(organization, again.id)
    with pytest.raises(InvitationNotFound):
        await invitations.accept(third, name="Ada", password="word")

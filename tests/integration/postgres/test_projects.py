import uuid

import pytest
from sqlalchemy import text

from heliograph.domain.access import Project, Role
from heliograph.domain.errors import InvalidRequest, Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import ProjectNotFound
from storage.postgres.connection import Database
from storage.postgres.projects import Projects
from storage.postgres.users import Users


async def test_a_created_project_is_found_by_id_name_and_organization(database: Database, project: Project) -> None:
    projects = Projects(database)

    assert await projects.get(project.id) == project
    assert await projects.by_name(project.name) == project
    assert project in await projects.list_of(project.organization_id)
    assert (project.organization_name, project.metadata) == ("The organization", {})


async def test_an_unknown_project_is_named_in_the_error(database: Database) -> None:
    with pytest.raises(ProjectNotFound, match="nowhere"):
        await Projects(database).get(ProjectId("nowhere"))
    assert await Projects(database).by_name("nowhere") is None


async def test_two_projects_of_one_organization_cannot_share_a_name(database: Database, project: Project) -> None:
    with pytest.raises(InvalidRequest, match="name: is taken already"):
        await Projects(database).create(project.name, organization_id=project.organization_id)


async def test_a_refused_project_leaves_no_organization_behind(database: Database, project: Project) -> None:
    projects = Projects(database)

    with pytest.raises(InvalidRequest, match="id: is taken already"):
        await projects.create("again", project_id=project.id, organization_name="Left behind")

    async with database.transaction() as session:
        count = text("SELECT count(*) FROM organizations WHERE name = 'Left behind'")
        assert await session.scalar(count) == 0


async def test_a_server_that_is_away_is_unavailable() -> None:
    database = Database("postgresql+psycopg://nobody:nothing@127.0.0.1:9/none")
    with pytest.raises(Unavailable, match="PostgreSQL"):
        await database.ping()
    await database.close()


async def test_a_user_signs_in_with_their_password_only(database: Database) -> None:
    users = Users(database)
    email = f"{uuid.uuid4()}@Example.org"
    user = await users.create(email, "Ada", "correct horse")

    assert await users.verify(email.upper(), "correct horse") == user
    assert await users.verify(email, "wrong horse") is None
    assert await users.verify("nobody@example.org", "nobody") is None
    with pytest.raises(InvalidRequest, match="email: is taken already"):
        await users.create(email.lower(), "Eve", "battery")


async def test_a_members_projects_follow_their_roles(database: Database, project: Project) -> None:
    users = Users(database)
    user = await users.create(f"{uuid.uuid4()}@example.org", "Ada", "correct horse")
    other = await Projects(database).create(f"other {uuid.uuid4()}", organization_id=project.organization_id)
    assert await users.projects_of(user.id) == []

    await users.join_organization(user.id, project.organization_id, Role.MEMBER)
    await users.join_project(user.id, other.id, Role.NONE)
    assert project in await users.projects_of(user.id)
    assert other not in await users.projects_of(user.id)

    await users.join_organization(user.id, project.organization_id, Role.NONE)
    await users.join_project(user.id, other.id, Role.VIEWER)
    assert await users.projects_of(user.id) == [other]

"""Who may do what in a project, and what people are called."""

from heliograph.domain.access import Project, Role
from storage.postgres.connection import Database
from storage.postgres.memberships import Roles
from storage.postgres.users import Users


async def test_a_role_in_the_project_overrides_that_in_its_organization(database: Database, project: Project) -> None:
    users, roles = Users(database), Roles(database)
    ada = await users.create("ada@figures.example", "Ada", "correct horse battery")
    assert await roles.in_project(ada.id, project.id) is Role.NONE
    await users.join_organization(ada.id, project.organization_id, Role.ADMIN)
    assert await roles.in_project(ada.id, project.id) is Role.ADMIN
    await users.join_project(ada.id, project.id, Role.VIEWER)
    assert await roles.in_project(ada.id, project.id) is Role.VIEWER


async def test_whoever_has_no_name_is_called_by_address(database: Database) -> None:
    users = Users(database)
    ada = await users.create("ada@names.example", "Ada", "correct horse battery")
    bob = await users.create("bob@names.example", "", "correct horse battery")
    assert await users.names_of([ada.id, bob.id, "nobody"]) == {ada.id: "Ada", bob.id: "bob@names.example"}

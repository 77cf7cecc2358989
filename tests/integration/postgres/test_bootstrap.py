import asyncio

from heliograph.settings import FirstProject
from storage.postgres.api_keys import ApiKeys
from storage.postgres.bootstrap import create_first
from storage.postgres.connection import Database
from storage.postgres.users import Users
from tests.integration.postgres.conftest import PEPPER


async def test_the_first_start_creates_everything_once(dsn: str) -> None:
    database = Database(dsn)
    first = FirstProject()

    both = await asyncio.gather(*(create_first(database, first, PEPPER) for _ in range(2)))
    created = next(access for access in both if access.secret_key)
    found = next(access for access in both if not access.secret_key)

    assert (found.project, found.public_key, found.user) == (created.project, created.public_key, created.user)
    assert found.password == ""
    assert created.project.name == first.project_name
    principal = await ApiKeys(database, PEPPER).verify(created.public_key, created.secret_key)
    assert principal.project_id == created.project.id
    assert await Users(database).verify(first.user_email, created.password) == created.user
    assert await Users(database).projects_of(created.user.id) == [created.project]
    await database.close()


async def test_everything_first_can_be_given(dsn: str) -> None:
    database = Database(dsn)
    first = FirstProject(
        organization_id="acme",
        organization_name="Acme",
        project_id="rockets",
        project_name="Rockets",
        public_key="pk-lf-acme",
        secret_key="sk-lf-acme",
        user_email="coyote@acme.example",
        user_password="beep beep",
    )

    access = await create_first(database, first, PEPPER)
    again = await create_first(database, first, PEPPER)

    assert (access.project.id, access.project.organization_id) == ("rockets", "acme")
    assert (access.public_key, access.secret_key, access.password) == ("pk-lf-acme", "sk-lf-acme", "beep beep")
    assert (again.project, again.public_key, again.secret_key) == (access.project, "pk-lf-acme", "")
    await database.close()

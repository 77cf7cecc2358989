"""Organizations, their projects, keys and members through the API, with the keys that open each route."""

import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from langfuse.api import ApiKeyList, ApiKeyResponse, MembershipsResponse, OrganizationProjectsResponse
from langfuse.api import Project as SdkProject
from langfuse.api.core.pydantic_utilities import parse_obj_as

from heliograph.domain.access import Project, Role
from heliograph.domain.audit import ActorType
from heliograph.domain.errors import KeyRevoked
from heliograph.domain.identifiers import UserId
from storage.postgres.api_keys import ApiKeys
from storage.postgres.audit_log import AuditLog
from storage.postgres.memberships import Roles
from storage.postgres.projects import Projects
from storage.postgres.users import Users
from tests.integration.api.conftest import ADMIN_KEY, ORGANIZATION_KEY, SECRET, Api


@dataclass(frozen=True)
class Owned:
    """The API with the key of the project's organization."""

    api: Api
    foreign: Project

    async def ask(self, method: str, route: str, body: Any = None) -> httpx.Response:
        return await self.api.client.request(method, route, json=body, auth=(ORGANIZATION_KEY, SECRET))

    async def user(self, name: str = "someone") -> UserId:
        return (await Users(self.api.database).create(f"{name}-{uuid.uuid4()}@example.org", name)).id

    async def project(self) -> dict[str, Any]:
        answer = await self.ask("POST", "/projects", {"name": f"p {uuid.uuid4()}"})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


@pytest.fixture
async def owned(api: Api) -> Owned:
    name = f"other {uuid.uuid4()}"
    return Owned(api, await Projects(api.database).create("theirs", organization_name=name))


async def test_projects_are_created_changed_and_listed(owned: Owned) -> None:
    name = f"made {uuid.uuid4()}"
    made = await owned.ask("POST", "/projects", {"name": name, "metadata": {"team": ["a"]}, "retention": 30})
    assert made.status_code == 201
    project = parse_obj_as(SdkProject, made.json())
    assert (project.name, project.metadata, project.retention_days) == (name, {"team": ["a"]}, 30)
    assert (await owned.ask("POST", "/projects", {"name": name})).status_code == 409

    changed = await owned.ask("PUT", f"/projects/{project.id}", {"name": name, "retention": 0})
    assert (changed.status_code, changed.json()["metadata"]) == (200, {"team": ["a"]})
    assert "retentionDays" not in changed.json()
    taken = await owned.ask("PUT", f"/projects/{project.id}", {"name": owned.api.project.name})
    assert (taken.status_code, taken.json()["error"]) == (409, "LangfuseConflictError")

    listed = parse_obj_as(OrganizationProjectsResponse, (await owned.ask("GET", "/organizations/projects")).json())
    assert {project.id, owned.api.project.id} <= {one.id for one in listed.projects}
    assert owned.foreign.id not in {one.id for one in listed.projects}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "ab"}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"retention": 2}, "retention"),
        ({"retention": -1}, "retention"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {"a": [{"b": "\0"}]}}, "metadata"),
    ],
)
async def test_a_project_that_cannot_be_is_refused_by_field(owned: Owned, change: dict[str, Any], field: str) -> None:
    answer = await owned.ask("POST", "/projects", {"name": "a project", **change})
    assert answer.status_code == 400
    assert answer.json()["error"][0]["path"][0] == field


async def test_an_ended_project_is_gone_with_its_keys_and_gives_its_name_free(owned: Owned) -> None:
    project = await owned.project()
    issued = (await owned.ask("POST", f"/projects/{project['id']}/apiKeys", {})).json()
    keys = ApiKeys(owned.api.database, "pepper")
    assert (await keys.verify(issued["publicKey"], issued["secretKey"])).project_id == project["id"]

    ended = await owned.ask("DELETE", f"/projects/{project['id']}")
    assert (ended.status_code, ended.json()["success"]) == (202, True)
    assert (await owned.ask("DELETE", f"/projects/{project['id']}")).status_code == 404
    with pytest.raises(Exception, match="not known"):
        await keys.verify(issued["publicKey"], issued["secretKey"])
    assert (await owned.ask("POST", "/projects", {"name": project["name"]})).status_code == 201


async def test_another_organization_is_not_found(owned: Owned) -> None:
    theirs = owned.foreign.id
    key = await ApiKeys(owned.api.database, "pepper").create(theirs)
    user = await owned.user()
    for method, route, body in (
        ("PUT", f"/projects/{theirs}", {"name": "ours now"}),
        ("DELETE", f"/projects/{theirs}", None),
        ("GET", f"/projects/{theirs}/apiKeys", None),
        ("POST", f"/projects/{theirs}/apiKeys", {}),
        ("DELETE", f"/projects/{theirs}/apiKeys/{key.id}", None),
        ("DELETE", f"/projects/{owned.api.project.id}/apiKeys/{key.id}", None),
        ("GET", f"/projects/{theirs}/memberships", None),
        ("PUT", f"/projects/{theirs}/memberships", {"userId": user, "role": "OWNER"}),
        ("DELETE", f"/projects/{theirs}/memberships", {"userId": user}),
        ("GET", f"/scim/Users/{user}", None),
        ("DELETE", f"/scim/Users/{user}", None),
    ):
        assert (await owned.ask(method, route, body)).status_code == 404, (method, route)


async def test_keys_of_a_project_are_issued_listed_and_ended(owned: Owned) -> None:
    route = f"/projects/{(await owned.project())['id']}/apiKeys"
    pair = {"publicKey": f"pk-lf-{uuid.uuid4()}", "secretKey": "sk-lf-own"}
    made = await owned.ask("POST", route, {"note": "ours", **pair})
    assert made.status_code == 201
    issued = parse_obj_as(ApiKeyResponse, made.json())
    assert (issued.public_key, issued.secret_key, issued.display_secret_key) == (*pair.values(), "sk-lf-...-own")
    assert (await owned.ask("POST", route, pair)).status_code == 409
    for wrong in ({"publicKey": "pk-lf-x"}, {**pair, "secretKey": "other"}, {**pair, "publicKey": "pk-lf-"}):
        assert (await owned.ask("POST", route, wrong)).status_code == 400

    generated = (await owned.ask("POST", route, {})).json()
    listed = parse_obj_as(ApiKeyList, (await owned.ask("GET", route)).json())
    assert [(key.id, key.note) for key in listed.api_keys] == [(issued.id, "ours"), (generated["id"], None)]
    assert generated["secretKey"] not in str(listed)

    assert (await owned.ask("DELETE", f"{route}/{issued.id}")).json() == {"success": True}
    assert (await owned.ask("DELETE", f"{route}/{issued.id}")).status_code == 404
    assert len((await owned.ask("GET", route)).json()["apiKeys"]) == 1


async def test_roles_of_an_organization_and_other_ones_in_a_project(owned: Owned) -> None:
    user = await owned.user()
    project = owned.api.project
    roles = Roles(owned.api.database)
    of_project = f"/projects/{project.id}/memberships"
    early = await owned.ask("PUT", of_project, {"userId": user, "role": "ADMIN"})
    assert early.status_code == 404

    put = await owned.ask("PUT", "/organizations/memberships", {"userId": user, "role": "VIEWER"})
    assert (put.status_code, put.json()["role"]) == (200, "VIEWER")
    assert await roles.in_project(user, project.id) is Role.VIEWER
    assert (await owned.ask("PUT", of_project, {"userId": user, "role": "ADMIN"})).status_code == 200
    assert await roles.in_project(user, project.id) is Role.ADMIN
    assert await roles.in_organization(user, project.organization_id) is Role.VIEWER
    assert await roles.in_project(user, owned.foreign.id) is Role.NONE

    for route in ("/organizations/memberships", of_project):
        listed = parse_obj_as(MembershipsResponse, (await owned.ask("GET", route)).json())
        assert user in {member.user_id for member in listed.memberships}
    left = await owned.ask("DELETE", "/organizations/memberships", {"userId": user})
    assert left.json()["userId"] == user
    assert await roles.in_project(user, project.id) is Role.NONE
    assert (await owned.ask("DELETE", "/organizations/memberships", {"userId": user})).status_code == 404
    assert (await owned.ask("DELETE", of_project, {"userId": user})).status_code == 404


async def test_a_role_that_there_is_none_of_and_a_user_who_is_none(owned: Owned) -> None:
    route = "/organizations/memberships"
    unknown = await owned.ask("PUT", route, {"userId": await owned.user(), "role": "KING"})
    assert (unknown.status_code, unknown.json()["error"][0]["path"]) == (400, ["role"])
    assert (await owned.ask("PUT", route, {"userId": "nobody", "role": "ADMIN"})).status_code == 404


async def test_what_a_key_changes_is_in_the_audit_log_under_its_name(owned: Owned) -> None:
    project = await owned.project()
    (created,) = await AuditLog(owned.api.database).latest(5, project_id=project["id"])
    assert (created.actor.type, created.actor.name) == (ActorType.API_KEY, ORGANIZATION_KEY)
    assert created.after["name"] == project["name"]


async def test_the_administrator_creates_organizations_and_their_keys(api: Api) -> None:
    async def ask(method: str, route: str = "", body: Any = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {ADMIN_KEY}"}
        address = f"/heliograph-admin/organizations{route}"
        return await api.client.request(method, address, json=body, headers=headers, auth=httpx.Auth())

    made = await ask("POST", "", {"name": "Fresh", "metadata": {"a": 1}})
    assert made.status_code == 201
    own = f"/{made.json()['id']}"
    assert made.json()["id"] in {one["id"] for one in (await ask("GET")).json()["organizations"]}
    changed = (await ask("PUT", own, {"name": "Renamed"})).json()
    assert (changed["name"], changed["metadata"], changed["projects"]) == ("Renamed", {"a": 1}, [])
    assert (await ask("POST", "", {"name": "x"})).status_code == 400

    key = await ask("POST", f"{own}/apiKeys", {"note": "terraform"})
    assert key.status_code == 201
    keys = ApiKeys(api.database, "pepper")
    principal = await keys.verify(key.json()["publicKey"], key.json()["secretKey"])
    assert (principal.scope, principal.organization_id) == ("ORGANIZATION", made.json()["id"])
    assert [one["note"] for one in (await ask("GET", f"{own}/apiKeys")).json()["apiKeys"]] == ["terraform"]
    assert (await ask("DELETE", f"{own}/apiKeys/{key.json()['id']}")).json() == {"success": True}

    occupied = await ask("DELETE", f"/{api.project.organization_id}")
    assert occupied.status_code == 409
    assert (await ask("DELETE", own)).json() == {"success": True}
    assert (await ask("GET", own)).status_code == 404


async def test_the_administrator_ends_all_keys_of_projects_and_lets_them_be_looked_up_again(api: Api) -> None:
    async def act(action: str, *projects: str) -> httpx.Response:
        body = {"action": action, "projectIds": list(projects)}
        headers = {"authorization": f"Bearer {ADMIN_KEY}"}
        return await api.client.post("/heliograph-admin/api-keys", json=body, headers=headers, auth=httpx.Auth())

    keys = ApiKeys(api.database, "pepper")
    ended, kept = [await Projects(api.database).create(name) for name in ("ended", "kept")]
    (first, second), other = [await keys.create(ended.id) for _ in range(2)], await keys.create(kept.id)
    invalidated = await act("invalidate", ended.id)
    assert (invalidated.status_code, invalidated.json()) == (200, {"message": "API keys invalidated"})
    assert len(await keys.public_keys_of(ended.id)) == 2
    deleted = await act("delete", ended.id, "unknown")
    assert (deleted.status_code, deleted.json()) == (200, {"message": "API keys deleted"})
    for issued in (first, second):
        with pytest.raises(KeyRevoked):
            await keys.verify(issued.public_key, issued.secret_key)
    assert (await keys.verify(other.public_key, other.secret_key)).project_id == kept.id
    assert (await act("forget", ended.id)).status_code == 400


async def test_an_administrator_reads_the_models_of_any_project(api: Api) -> None:
    headers = {
        "authorization": f"Bearer {ADMIN_KEY}",
        "x-langfuse-admin-api-key": ADMIN_KEY,
        "x-langfuse-project-id": api.project.id,
    }

    async def status(**changes: str | None) -> int:
        sent = {name: value for name, value in (headers | changes).items() if value is not None}
        return (await api.client.get("/models", headers=sent, auth=httpx.Auth())).status_code

    assert await status() == 200
    assert await status(**{"x-langfuse-project-id": None}) == 400
    assert await status(**{"x-langfuse-project-id": "none"}) == 404
    assert await status(**{"x-langfuse-admin-api-key": "wrong"}) == 401
    assert await status(authorization="Bearer wrong") == 401

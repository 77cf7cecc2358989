"""Provisioning by SCIM: who is a member, and in which role."""

import uuid
from typing import Any

import httpx
import pytest

from tests.integration.api.conftest import ORGANIZATION_KEY, SECRET, Api


async def ask(api: Api, method: str, route: str, body: Any = None, **params: Any) -> httpx.Response:
    return await api.client.request(method, f"/scim{route}", json=body, params=params, auth=(ORGANIZATION_KEY, SECRET))


async def provisioned(api: Api, **more: Any) -> dict[str, Any]:
    address = f"User.{uuid.uuid4()}@Example.org"
    answer = await ask(api, "POST", "/Users", {"userName": address, "name": {"formatted": "Ada L"}, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_user_is_provisioned_found_and_taken_away(api: Api) -> None:
    made = await provisioned(api, roles=["ADMIN"], password="is not taken")
    assert (made["roles"], made["active"], made["name"]["formatted"]) == (["ADMIN"], True, "Ada L")
    again = await ask(api, "POST", "/Users", {"userName": made["userName"].upper()})
    assert (again.status_code, again.json()["status"]) == (409, 409)
    assert again.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]

    found = (await ask(api, "GET", "/Users", filter=f'userName eq "{made["userName"].upper()}"')).json()
    assert (found["totalResults"], found["Resources"]) == (1, [made])
    assert (await ask(api, "GET", f"/Users/{made['id']}")).json() == made
    assert (await ask(api, "DELETE", f"/Users/{made['id']}")).status_code == 204
    assert (await ask(api, "GET", f"/Users/{made['id']}")).status_code == 404
    assert (await ask(api, "POST", "/Users", {"userName": made["userName"]})).json()["id"] == made["id"]


async def test_without_a_role_a_user_may_do_nothing(api: Api) -> None:
    assert (await provisioned(api))["roles"] == ["NONE"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "active", "value": False},
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "replace", "value": {"active": False, "displayName": "left"}},
    ],
)
async def test_a_patch_takes_a_user_away_and_brings_them_back(api: Api, operation: dict[str, Any]) -> None:
    made = await provisioned(api, roles=["MEMBER"])
    route = f"/Users/{made['id']}"
    gone = await ask(api, "PATCH", route, {"Operations": [operation]})
    assert (gone.status_code, gone.json()["active"]) == (200, False)
    assert (await ask(api, "GET", route)).status_code == 404
    back = await ask(api, "PUT", route, {"active": True, "roles": ["VIEWER"]})
    assert (back.json()["active"], back.json()["roles"]) == (True, ["VIEWER"])
    changed = await ask(api, "PATCH", route, {"Operations": [{"op": "add", "path": "roles", "value": ["OWNER"]}]})
    assert changed.json()["roles"] == ["OWNER"]


async def test_users_page_to_the_end_without_a_gap(api: Api) -> None:
    made = {(await provisioned(api))["id"] for _ in range(3)}
    seen: list[str] = []
    while True:
        page = (await ask(api, "GET", "/Users", startIndex=len(seen) + 1, count=2)).json()
        if not page["Resources"]:
            break
        seen += [user["id"] for user in page["Resources"]]
    assert len(seen) == len(set(seen)) == page["totalResults"]
    assert made <= set(seen)


@pytest.mark.parametrize(
    ("method", "route", "body"),
    [
        ("POST", "/Users", {"userName": "no address"}),
        ("POST", "/Users", {"userName": "a@b.c", "roles": ["KING"]}),
        ("POST", "/Users", {}),
        ("PATCH", "/Users/u", {"Operations": []}),
        ("PATCH", "/Users/u", {"Operations": [{"op": "replace", "path": "active", "value": "maybe"}]}),
        ("GET", '/Users?filter=emails co "x"', None),
    ],
)
async def test_what_is_wrong_is_told_in_the_form_of_scim(api: Api, method: str, route: str, body: Any) -> None:
    answer = await api.client.request(method, f"/scim{route}", json=body, auth=(ORGANIZATION_KEY, SECRET))
    assert (answer.status_code, answer.json()["status"]) == (400, 400)
    assert answer.json()["detail"]


async def test_it_says_what_it_speaks(api: Api) -> None:
    config = (await ask(api, "GET", "/ServiceProviderConfig")).json()
    assert (config["patch"]["supported"], config["bulk"]["supported"]) == (True, False)
    assert [kind["id"] for kind in (await ask(api, "GET", "/ResourceTypes")).json()["Resources"]] == ["User"]
    (schema,) = (await ask(api, "GET", "/Schemas")).json()["Resources"]
    assert schema["id"] == "urn:ietf:params:scim:schemas:core:2.0:User"

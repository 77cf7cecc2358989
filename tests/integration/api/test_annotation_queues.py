"""Annotation queues through the API."""

import json
import uuid
from typing import Any

import pytest
from langfuse.api import AnnotationQueue as SdkQueue
from langfuse.api import AnnotationQueueItem as SdkItem
from langfuse.api.core.pydantic_utilities import parse_obj_as

from heliograph.domain.access import Role
from heliograph.domain.annotations import AnnotatedType
from heliograph.domain.score_configs import ScoreConfig
from heliograph.domain.scores import ScoreDataType
from storage.postgres.annotation_queue_items import AnnotationQueueItems
from storage.postgres.annotation_queues import AnnotationQueues
from storage.postgres.projects import Projects
from storage.postgres.score_configs import ScoreConfigs
from storage.postgres.users import Users
from tests.integration.api.conftest import Api

RATE = ScoreConfig(name="rate", data_type=ScoreDataType.NUMERIC)
TRACE = {"objectId": "t", "objectType": "TRACE"}


@pytest.fixture
async def queue(api: Api) -> dict[str, Any]:
    """A queue of the project, as the API answers it."""
    return await create(api, "the queue")


async def create(api: Api, name: str, **more: Any) -> dict[str, Any]:
    config = await ScoreConfigs(api.database, api.project.id).create(RATE)
    body = {"name": name, "scoreConfigIds": [config.id, config.id], **more}
    got = await api.client.post("/annotation-queues", json=body)
    assert got.status_code == 200, got.text
    parse_obj_as(SdkQueue, got.json())
    assert got.json()["scoreConfigIds"] == [config.id]
    return dict(got.json())


async def add(api: Api, queue: dict[str, Any], **body: Any) -> dict[str, Any]:
    got = await api.client.post(f"/annotation-queues/{queue['id']}/items", json=TRACE | body)
    assert got.status_code == 200, got.text
    parse_obj_as(SdkItem, got.json())
    return dict(got.json())


async def foreign_queue(api: Api) -> tuple[AnnotationQueueItems, str, str]:
    """The items of a queue of another project, with its id and that of one of them."""
    other = await Projects(api.database).create("other", organization_name=f"Another {uuid.uuid4()}")
    config = await ScoreConfigs(api.database, other.id).create(RATE)
    queue = await AnnotationQueues(api.database, other.id).create("theirs", None, [config.id])
    items = AnnotationQueueItems(api.database, other.id, queue.id)
    return items, queue.id, (await items.add(AnnotatedType.TRACE, "t")).id


async def test_a_queue_is_kept_as_it_was_declared(api: Api) -> None:
    made = await create(api, "first", description="look twice")
    assert (made["name"], made["description"]) == ("first", "look twice")
    assert (await api.client.get(f"/annotation-queues/{made['id']}")).json() == made
    assert (await create(api, "second"))["description"] is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": "the queue"}, "name"),
        ({"scoreConfigIds": []}, "scoreConfigIds"),
        ({"scoreConfigIds": ["nothing"]}, "scoreConfigIds"),
        ({"scoreConfigIds": "nothing"}, "scoreConfigIds"),
        ({"description": 5}, "description"),
    ],
)
async def test_what_cannot_be_a_queue_is_refused_and_named(
    api: Api, queue: dict[str, Any], wrong: dict[str, Any], field: str
) -> None:
    body = {"name": "another", "scoreConfigIds": queue["scoreConfigIds"], **wrong}
    got = await api.client.post("/annotation-queues", json=body)
    assert got.status_code == 400
    assert field in json.dumps(got.json())


async def test_a_config_of_another_project_is_none(api: Api) -> None:
    other = await Projects(api.database).create("other", organization_name=f"Another {uuid.uuid4()}")
    theirs = await ScoreConfigs(api.database, other.id).create(RATE)
    got = await api.client.post("/annotation-queues", json={"name": "q", "scoreConfigIds": [theirs.id]})
    assert (got.status_code, got.json()["message"][:14]) == (400, "scoreConfigIds")


async def test_an_item_waits_is_completed_and_waits_again(api: Api, queue: dict[str, Any]) -> None:
    item = await add(api, queue)
    assert (item["queueId"], item["status"], item["completedAt"]) == (queue["id"], "PENDING", None)
    route = f"/annotation-queues/{queue['id']}/items/{item['id']}"
    done = (await api.client.patch(route, json={"status": "COMPLETED"})).json()
    assert done["status"] == "COMPLETED"
    assert done["completedAt"] is not None
    assert (await api.client.patch(route, json={"status": "COMPLETED"})).json() == done
    assert (await api.client.patch(route, json={})).json() == done
    again = (await api.client.patch(route, json={"status": "PENDING"})).json()
    assert (again["status"], again["completedAt"]) == ("PENDING", None)
    assert (await api.client.get(route)).json() == again


async def test_an_item_is_taken_out(api: Api, queue: dict[str, Any]) -> None:
    item = await add(api, queue, objectType="SESSION", objectId="s", status="COMPLETED")
    assert item["completedAt"] is not None
    route = f"/annotation-queues/{queue['id']}/items/{item['id']}"
    gone = await api.client.delete(route)
    assert (gone.status_code, gone.json()["success"]) == (200, True)
    assert gone.json()["message"]
    assert (await api.client.delete(route)).status_code == 404
    assert (await api.client.get(route)).status_code == 404


async def test_items_are_listed_by_status_and_page_through(api: Api, queue: dict[str, Any]) -> None:
    made = [await add(api, queue, objectId=f"t{n}", status="PENDING" if n % 2 else "COMPLETED") for n in range(5)]
    route = f"/annotation-queues/{queue['id']}/items"
    seen = []
    for number in (1, 2, 3):
        got = (await api.client.get(route, params={"limit": 2, "page": number})).json()
        assert got["meta"] == {"page": number, "limit": 2, "totalItems": 5, "totalPages": 3}
        seen += [one["id"] for one in got["data"]]
    assert seen == [one["id"] for one in made][::-1]
    waiting = (await api.client.get(route, params={"status": "PENDING"})).json()
    assert [one["objectId"] for one in waiting["data"]] == ["t3", "t1"]
    assert waiting["meta"]["totalItems"] == 2


async def test_queues_page_through(api: Api) -> None:
    made = [(await create(api, f"q{number}"))["id"] for number in range(3)]
    pages = [(await api.client.get("/annotation-queues", params={"limit": 2, "page": n})).json() for n in (1, 2)]
    assert [one["id"] for page in pages for one in page["data"]] == made[::-1]
    assert pages[1]["meta"] == {"page": 2, "limit": 2, "totalItems": 3, "totalPages": 2}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"objectType": "PROMPT"}, "objectType"),
        ({"objectId": ""}, "objectId"),
        ({"objectId": None}, "objectId"),
        ({"objectId": "\0"}, "objectId"),
        ({"status": "DONE"}, "status"),
    ],
)
async def test_what_cannot_be_an_item_is_refused_and_named(
    api: Api, queue: dict[str, Any], wrong: dict[str, Any], field: str
) -> None:
    got = await api.client.post(f"/annotation-queues/{queue['id']}/items", json=TRACE | wrong)
    assert (got.status_code, got.json()["error"][0]["path"]) == (400, [field])


async def test_an_unknown_status_is_refused(api: Api, queue: dict[str, Any]) -> None:
    item = await add(api, queue)
    route = f"/annotation-queues/{queue['id']}/items"
    assert (await api.client.patch(f"{route}/{item['id']}", json={"status": "DONE"})).status_code == 400
    assert (await api.client.get(route, params={"status": "DONE"})).status_code == 400


async def test_items_are_deleted_with_what_they_stand_for(api: Api, queue: dict[str, Any]) -> None:
    for object_type, object_id in (("TRACE", "t"), ("TRACE", "u"), ("SESSION", "t")):
        await add(api, queue, objectType=object_type, objectId=object_id)
    items, _, their_item = await foreign_queue(api)
    assert (await api.client.request("DELETE", "/traces", json={"traceIds": ["t"]})).status_code == 200
    left = (await api.client.get(f"/annotation-queues/{queue['id']}/items")).json()["data"]
    assert [(one["objectType"], one["objectId"]) for one in left] == [("SESSION", "t"), ("TRACE", "u")]
    assert (await items.get(their_item)).object_id == "t"


async def test_queues_of_other_projects_are_not_there(api: Api, queue: dict[str, Any]) -> None:
    items, queue_id, item_id = await foreign_queue(api)
    own = await add(api, queue)
    theirs = f"/annotation-queues/{queue_id}"
    asked = [
        ("GET", theirs, None),
        ("GET", f"{theirs}/items", None),
        ("POST", f"{theirs}/items", TRACE),
        ("POST", f"{theirs}/assignments", {"userId": "u"}),
        ("DELETE", f"{theirs}/assignments", {"userId": "u"}),
        *((method, f"{theirs}/items/{item_id}", body) for method, body in METHODS),
        *((method, f"/annotation-queues/{queue['id']}/items/{item_id}", body) for method, body in METHODS),
        *((method, f"{theirs}/items/{own['id']}", body) for method, body in METHODS),
    ]
    for method, route, body in asked:
        got = await api.client.request(method, route, json=body)
        assert (got.status_code, got.json()["error"]) == (404, "LangfuseNotFoundError"), (method, route)
    assert (await items.get(item_id)).status == "PENDING"
    assert [one["id"] for one in (await api.client.get("/annotation-queues")).json()["data"]] == [queue["id"]]


METHODS = [("GET", None), ("PATCH", {"status": "COMPLETED"}), ("DELETE", None)]


async def test_members_are_assigned_and_others_are_not(api: Api, queue: dict[str, Any]) -> None:
    users = Users(api.database)
    member, nobody, stranger = [
        await users.create(f"{uuid.uuid4()}@mail.example", "Someone", "a long password") for _ in range(3)
    ]
    await users.join_organization(member.id, api.project.organization_id, Role.MEMBER)
    await users.join_organization(nobody.id, api.project.organization_id, Role.MEMBER)
    await users.join_project(nobody.id, api.project.id, Role.NONE)
    route = f"/annotation-queues/{queue['id']}/assignments"
    for _ in range(2):
        got = await api.client.post(route, json={"userId": member.id})
        assert got.status_code == 200
        assert got.json() == {"userId": member.id, "queueId": queue["id"], "projectId": api.project.id}
    for other in (nobody.id, stranger.id, "nothing"):
        assert (await api.client.post(route, json={"userId": other})).status_code == 404
    assert (await api.client.post(route, json={})).status_code == 400
    queues = AnnotationQueues(api.database, api.project.id)
    assert await queues.assigned(queue["id"]) == [member.id]
    for _ in range(2):
        gone = await api.client.request("DELETE", route, json={"userId": member.id})
        assert (gone.status_code, gone.json()) == (200, {"success": True})
    assert await queues.assigned(queue["id"]) == []

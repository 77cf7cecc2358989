"""Comments through the API."""

import json
import uuid
from typing import Any

import pytest
from langfuse.api import Comment as SdkComment
from langfuse.api.core.pydantic_utilities import parse_obj_as

from heliograph.domain.annotations import Commented, CommentedType
from heliograph.domain.deletions import SubjectType
from heliograph.domain.prompts import NewPrompt, PromptType
from storage.postgres.comments import Comments
from storage.postgres.projects import Projects
from storage.postgres.prompts import Prompts
from tests.factories import observation, trace
from tests.integration.api.conftest import Api, deletion_requests


@pytest.fixture
def traced(api: Api) -> Api:
    """A trace with an observation and a session; and another project's."""
    api.stored.insert(
        "traces",
        api.stored.trace("t", session_id="s"),
        trace("other-project", "theirs", session_id="their-session"),
    )
    api.stored.insert(
        "observations", api.stored.observation("t", "o"), observation("other-project", "theirs", "their-observation")
    )
    return api


async def say(api: Api, content: str = "well done", **more: Any) -> dict[str, Any]:
    body = {"projectId": api.project.id, "objectType": "TRACE", "objectId": "t", "content": content, **more}
    made = await api.client.post("/comments", json=body)
    assert made.status_code == 200, made.text
    assert set(made.json()) == {"id"}
    got = await api.client.get(f"/comments/{made.json()['id']}")
    assert got.status_code == 200
    parse_obj_as(SdkComment, got.json())
    return dict(got.json())


async def listed(api: Api, **params: Any) -> list[str]:
    got = await api.client.get("/comments", params=params)
    assert got.status_code == 200, got.text
    return [one["content"] for one in got.json()["data"]]


async def test_everything_of_the_project_can_be_commented_on(traced: Api) -> None:
    new = NewPrompt(name=f"p {uuid.uuid4()}", type=PromptType.TEXT, body="text")
    prompt = await Prompts(traced.database, traced.project.id).created(new)
    objects = [("TRACE", "t"), ("OBSERVATION", "o"), ("SESSION", "s"), ("PROMPT", prompt.id)]
    for object_type, object_id in objects:
        said = await say(traced, "x" * 5000, objectType=object_type, objectId=object_id, authorUserId="ada")
        assert (said["objectType"], said["objectId"], said["authorUserId"]) == (object_type, object_id, "ada")
        assert (said["projectId"], len(said["content"])) == (traced.project.id, 5000)
    assert (await say(traced))["authorUserId"] is None


@pytest.mark.parametrize(
    "missing",
    [
        ("TRACE", "nothing"),
        ("TRACE", "theirs"),
        ("OBSERVATION", "t"),
        ("OBSERVATION", "their-observation"),
        ("SESSION", "their-session"),
        ("PROMPT", "nothing"),
    ],
)
async def test_what_is_not_in_the_project_cannot_be_commented_on(traced: Api, missing: tuple[str, str]) -> None:
    body = {"projectId": traced.project.id, "objectType": missing[0], "objectId": missing[1], "content": "x"}
    got = await traced.client.post("/comments", json=body)
    assert (got.status_code, got.json()["error"]) == (404, "LangfuseNotFoundError")
    assert await listed(traced) == []


async def test_a_prompt_of_another_project_cannot_be_commented_on(traced: Api) -> None:
    other = await Projects(traced.database).create("other", organization_name=f"Another {uuid.uuid4()}")
    theirs = await Prompts(traced.database, other.id).created(NewPrompt(name="p", type=PromptType.TEXT, body="x"))
    body = {"projectId": traced.project.id, "objectType": "PROMPT", "objectId": theirs.id, "content": "x"}
    assert (await traced.client.post("/comments", json=body)).status_code == 404
    assert (await traced.client.post("/comments", json=body | {"projectId": other.id})).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"content": ""}, "content"),
        ({"content": "x" * 5001}, "content"),
        ({"content": "\0"}, "content"),
        ({"objectType": "trace"}, "objectType"),
        ({"objectType": "SCORE"}, "objectType"),
        ({"objectId": None}, "objectId"),
        ({"projectId": None}, "projectId"),
        ({"unknown": 1}, "unknown"),
    ],
)
async def test_what_cannot_be_a_comment_is_refused_and_named(traced: Api, wrong: dict[str, Any], field: str) -> None:
    body = {"projectId": traced.project.id, "objectType": "TRACE", "objectId": "t", "content": "x", **wrong}
    got = await traced.client.post("/comments", json=body)
    assert (got.status_code, got.json()["error"][0]["path"]) == (400, [field])


async def test_comments_are_listed_by_what_they_are_about_and_by_author(traced: Api) -> None:
    await say(traced, "first", authorUserId="ada")
    await say(traced, "second", objectType="OBSERVATION", objectId="o", authorUserId="ada")
    await say(traced, "third", objectType="SESSION", objectId="s")
    assert await listed(traced) == ["third", "second", "first"]
    assert await listed(traced, objectType="TRACE") == ["first"]
    assert await listed(traced, objectType="OBSERVATION", objectId="o") == ["second"]
    assert await listed(traced, objectType="OBSERVATION", objectId="t") == []
    assert await listed(traced, authorUserId="ada", objectType="") == ["second", "first"]
    for params, field in (({"objectId": "o"}, "objectType"), ({"objectType": "odd"}, "objectType")):
        got = await traced.client.get("/comments", params=params)
        assert got.status_code == 400
        assert field in json.dumps(got.json())


async def test_pages_hold_every_comment_once(traced: Api) -> None:
    for number in range(5):
        await say(traced, f"c{number}")
    seen: list[str] = []
    for number in (1, 2, 3):
        got = (await traced.client.get("/comments", params={"limit": 2, "page": number})).json()
        assert got["meta"] == {"page": number, "limit": 2, "totalItems": 5, "totalPages": 3}
        seen += [one["content"] for one in got["data"]]
    assert seen == ["c4", "c3", "c2", "c1", "c0"]


async def test_comments_of_other_projects_are_not_there(traced: Api) -> None:
    other = await Projects(traced.database).create("other", organization_name=f"Another {uuid.uuid4()}")
    comments = Comments(traced.database, other.id)
    theirs = await comments.create(Commented(CommentedType.TRACE, "t", "t"), "secret")
    got = await traced.client.get(f"/comments/{theirs.id}")
    assert (got.status_code, got.json()["error"]) == (404, "LangfuseNotFoundError")
    assert await listed(traced, objectType="TRACE", objectId="t") == []


async def test_comments_are_deleted_with_their_trace_or_session(traced: Api) -> None:
    for object_type, object_id in (("TRACE", "t"), ("OBSERVATION", "o"), ("SESSION", "s")):
        await say(traced, object_type, objectType=object_type, objectId=object_id)
    other = await Projects(traced.database).create("other", organization_name=f"Another {uuid.uuid4()}")
    foreign = Comments(traced.database, other.id)
    theirs = await foreign.create(Commented(CommentedType.TRACE, "t", "t"), "theirs")
    assert (await traced.client.delete("/traces/t")).status_code == 200
    assert await listed(traced) == ["SESSION"]
    deletions = deletion_requests(traced.database, traced.tombstones)
    await deletions.accept(traced.project.id, SubjectType.SESSION, ["s"], requested_by="a test")
    assert await listed(traced) == []
    assert await foreign.get(theirs.id) == theirs

"""Prompts through the API."""

import asyncio
from typing import Any

import httpx
import pytest
from langfuse.api import Prompt as SdkPrompt
from langfuse.api import PromptMeta
from langfuse.api.core.pydantic_utilities import parse_obj_as

from tests.integration.api.conftest import Api

CHAT = [
    {"role": "system", "content": "You help {{name}}."},
    {"type": "placeholder", "name": "history"},
    {"role": "user", "content": "{{question}}"},
]


async def create(api: Api, name: str, prompt: Any = "hello {{name}}", **more: Any) -> dict[str, Any]:
    kind = "text" if isinstance(prompt, str) else "chat"
    answer = await api.client.post("/v2/prompts", json={"name": name, "type": kind, "prompt": prompt, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def fetch(api: Api, name: str, **params: Any) -> httpx.Response:
    return await api.client.get(f"/v2/prompts/{name.replace('/', '%2F')}", params=params)


async def version_of(api: Api, name: str, **params: Any) -> int:
    answer = await fetch(api, name, **params)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["version"])


async def test_a_chat_prompt_comes_back_as_it_was_written(api: Api) -> None:
    config = {"z": 1, "a": {"model": "gpt-4o", "stop": ["\u0000"]}}
    made = await create(
        api, "folder/chat", CHAT, labels=["production"], tags=["a"], config=config, commitMessage="first"
    )
    fetched = (await fetch(api, "folder/chat")).json()
    assert fetched == made
    assert [part.get("content", part.get("name")) for part in fetched["prompt"]] == [
        "You help {{name}}.", "history", "{{question}}",
    ]  # fmt: skip
    assert list(fetched["config"]) == ["z", "a"]
    assert fetched["config"] == config
    assert (fetched["version"], fetched["labels"], fetched["tags"]) == (1, ["latest", "production"], ["a"])
    assert (fetched["commitMessage"], fetched["isActive"], fetched["resolutionGraph"]) == ("first", True, None)
    assert parse_obj_as(SdkPrompt, fetched).name == "folder/chat"  # type: ignore[arg-type]


async def test_versions_count_up_and_labels_move_to_the_version_that_asks_for_them(api: Api) -> None:
    await create(api, "moving", labels=["production", "eu"])
    await create(api, "moving", labels=["production"], tags=["t"])
    assert await version_of(api, "moving") == 2
    assert await version_of(api, "moving", label="eu") == 1
    assert await version_of(api, "moving", label="latest") == 2
    assert await version_of(api, "moving", version=1) == 1
    assert (await fetch(api, "moving", version=1)).json()["tags"] == ["t"]
    answer = await api.client.patch("/v2/prompts/moving/versions/1", json={"newLabels": ["production", "us"]})
    assert answer.json()["labels"] == ["eu", "production", "us"]
    assert await version_of(api, "moving") == 1
    assert (await fetch(api, "moving", version=2)).json()["labels"] == ["latest"]


async def test_versions_created_at_once_have_numbers_of_their_own(api: Api) -> None:
    made = await asyncio.gather(*(create(api, "raced", f"text {number}") for number in range(8)))
    assert sorted(one["version"] for one in made) == list(range(1, 9))
    assert await version_of(api, "raced", label="latest") == 8


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"label": "missing"}, "Prompt not found: 'absent' with label 'missing'"),
        ({"version": 3}, "Prompt not found: 'absent' with version 3"),
        ({}, "Prompt not found: 'absent' with label 'production'"),
    ],
)
async def test_a_missing_prompt_is_named(api: Api, params: dict[str, Any], told: str) -> None:
    answer = await fetch(api, "absent", **params)
    assert (answer.status_code, answer.json()) == (404, {"message": told, "error": "LangfuseNotFoundError"})


@pytest.mark.parametrize(
    "params", [{"version": 1, "label": "a"}, {"version": 0}, {"version": "x"}, {"version": 1 << 40}, {"label": "\0"}]
)
async def test_an_unclear_choice_is_refused(api: Api, params: dict[str, Any]) -> None:
    assert (await fetch(api, "any", **params)).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a|b"},
        {"labels": ["Loud"]},
        {"prompt": [{"role": "user"}]},
        {"commitMessage": "x" * 501},
        {"prompt": "@@@langfusePrompt:name=w|label=latest@@@"},
        {"tags": ["\0"]},
        {"prompt": 3},
    ],
)
async def test_what_cannot_be_a_prompt_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    answer = await api.client.post("/v2/prompts", json={"name": "w", "prompt": "x", **wrong})
    assert answer.status_code == 400


async def test_the_type_of_a_prompt_stays(api: Api) -> None:
    await create(api, "typed")
    answer = await api.client.post("/v2/prompts", json={"name": "typed", "type": "chat", "prompt": CHAT})
    assert (answer.status_code, answer.json()["message"][:5]) == (400, "type:")


async def test_prompts_are_composed_of_others_and_can_be_had_as_written(api: Api) -> None:
    inner = await create(api, "rules/tone", "kind")
    middle = await create(api, "rules", "Be @@@langfusePrompt:name=rules/tone|label=latest@@@.", labels=["production"])
    tag = "@@@langfusePrompt:name=rules|label=production@@@"
    outer = await create(api, "outer", [{"role": "system", "content": f"{tag} Go."}], labels=["production"])
    found = (await fetch(api, "outer")).json()
    assert found["prompt"] == [{"role": "system", "content": "Be kind. Go."}]
    assert found["resolutionGraph"] == {
        "root": {"name": "outer", "version": 1, "id": outer["id"]},
        "dependencies": {
            outer["id"]: [{"name": "rules", "version": 1, "id": middle["id"]}],
            middle["id"]: [{"name": "rules/tone", "version": 1, "id": inner["id"]}],
        },
    }
    assert (await fetch(api, "outer", resolve=False)).json()["prompt"] == outer["prompt"]


async def test_circles_and_missing_parts_are_refused_when_they_are_written(api: Api) -> None:
    await create(api, "one")
    await create(api, "two", "@@@langfusePrompt:name=one|label=latest@@@")
    body = {"name": "one", "prompt": "@@@langfusePrompt:name=two|label=latest@@@"}
    answer = await api.client.post("/v2/prompts", json=body)
    assert (answer.status_code, answer.json()["error"]) == (409, "LangfuseConflictError")
    assert await version_of(api, "one", label="latest") == 1
    body = {"name": "three", "prompt": "@@@langfusePrompt:name=nowhere|version=1@@@"}
    assert (await api.client.post("/v2/prompts", json=body)).status_code == 404
    assert (await fetch(api, "three", label="latest")).status_code == 404


async def test_what_another_prompt_includes_cannot_be_deleted(api: Api) -> None:
    await create(api, "used", labels=["stable"])
    await create(api, "used")
    await create(api, "user", "@@@langfusePrompt:name=used|label=stable@@@")
    assert (await api.client.delete("/v2/prompts/used")).status_code == 400
    assert (await api.client.delete("/v2/prompts/used", params={"label": "stable"})).status_code == 400
    assert (await api.client.delete("/v2/prompts/used", params={"version": 2})).status_code == 204
    assert await version_of(api, "used", label="latest") == 1
    assert (await api.client.delete("/v2/prompts/user")).status_code == 204
    assert (await api.client.delete("/v2/prompts/used")).status_code == 204
    assert (await fetch(api, "used", version=1)).status_code == 404
    assert (await api.client.delete("/v2/prompts/used")).status_code == 404


async def test_the_list_has_an_entry_a_name_and_pages_through(api: Api) -> None:
    for name in ("l/a", "l/b", "l/c"):
        await create(api, name, config={"of": name}, tags=[name[-1]])
    await create(api, "l/b", config={"of": "second"}, labels=["eu"], tags=["b"])
    page = (await api.client.get("/v2/prompts", params={"limit": 2, "page": 2})).json()
    assert page["meta"] == page["pagination"] == {"page": 2, "limit": 2, "totalItems": 3, "totalPages": 2}
    assert [entry["name"] for entry in page["data"]] == ["l/c"]
    (entry,) = (await api.client.get("/v2/prompts", params={"tag": "b"})).json()["data"]
    assert (entry["versions"], entry["labels"], entry["lastConfig"]) == ([1, 2], ["eu", "latest"], {"of": "second"})
    assert parse_obj_as(PromptMeta, entry).type == "text"
    (entry,) = (await api.client.get("/v2/prompts", params={"label": "eu", "name": "l/b"})).json()["data"]
    assert entry["versions"] == [2]
    assert (await api.client.get("/v2/prompts", params={"version": 7})).json()["data"] == []
    late = {"fromUpdatedAt": entry["lastUpdatedAt"], "toUpdatedAt": entry["lastUpdatedAt"]}
    assert (await api.client.get("/v2/prompts", params=late)).json()["data"] == []


async def test_the_first_generation_marks_the_active_version(api: Api) -> None:
    body = {"name": "old", "prompt": "hi", "isActive": True}
    assert (await api.client.post("/prompts", json=body)).status_code == 201
    found = (await api.client.get("/prompts", params={"name": "old"})).json()
    assert (found["version"], found["isActive"], found["prompt"]) == (1, True, "hi")

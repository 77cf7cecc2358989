"""Datasets and their items through the API."""

import asyncio
import base64
import hashlib
import uuid
from typing import Any

import httpx
import pytest
from langfuse.api import Dataset as SdkDataset
from langfuse.api import DatasetItem as SdkItem
from langfuse.api.core.pydantic_utilities import parse_obj_as

from heliograph.domain.datasets import ItemChange, NewDataset
from storage.postgres.dataset_items import DatasetItems
from storage.postgres.datasets import Datasets
from storage.postgres.projects import Projects
from tests.integration.api.conftest import Api

QUESTION = {
    "type": "object",
    "properties": {"question": {"type": "string"}, "hops": {"type": "array", "items": {"type": "integer"}}},
    "required": ["question"],
}


async def create(api: Api, name: str, **more: Any) -> dict[str, Any]:
    answer = await api.client.post("/v2/datasets", json={"name": name, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def put(api: Api, dataset: str, **more: Any) -> dict[str, Any]:
    answer = await api.client.post("/dataset-items", json={"datasetName": dataset, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def listed(api: Api, **params: Any) -> list[dict[str, Any]]:
    answer = await api.client.get("/dataset-items", params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


def error_of(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    if body["message"] == "Invalid request data":
        return answer.status_code, ".".join(map(str, body["error"][0]["path"]))
    return answer.status_code, body["message"]


async def test_a_dataset_in_folders_comes_back_as_it_was_written(api: Api) -> None:
    made = await create(api, "qa/hard/ü", description="hard ones", metadata={"z": 1, "a": ["\u0000"]})
    fetched = (await api.client.get("/v2/datasets/qa%2Fhard%2F%C3%BC")).json()
    assert fetched == made
    assert (fetched["description"], fetched["metadata"]) == ("hard ones", {"z": 1, "a": ["\u0000"]})
    assert (fetched["projectId"], fetched["inputSchema"]) == (api.project.id, None)
    assert parse_obj_as(SdkDataset, fetched).name == "qa/hard/ü"


async def test_a_dataset_of_the_same_name_is_changed_and_null_keeps_what_there_is(api: Api) -> None:
    made = await create(api, "same", description="first", metadata={"a": 1}, inputSchema=QUESTION)
    again = await create(api, "same", description="second", metadata=None, inputSchema=None)
    assert (again["id"], again["description"], again["metadata"]) == (made["id"], "second", {"a": 1})
    assert (again["inputSchema"], again["createdAt"]) == (QUESTION, made["createdAt"])
    lifted = await create(api, "same", inputSchema={})
    assert lifted["inputSchema"] == {}
    assert (await put(api, "same", input="anything"))["input"] == "anything"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": "a|b"}, "name:"),
        ({"name": "/a"}, "name:"),
        ({"name": "  "}, "name:"),
        ({"name": "x" * 256}, "name:"),
        ({"name": "\0"}, "name"),
        ({}, "name"),
        ({"inputSchema": 3}, "inputSchema:"),
        ({"inputSchema": {"type": "strange"}}, "inputSchema: no JSON schema: at $.type"),
        ({"expectedOutputSchema": {"pattern": "(?=a)"}}, "expectedOutputSchema: expression '(?=a)'"),
    ],
)
async def test_what_cannot_be_a_dataset_is_refused(api: Api, wrong: dict[str, Any], told: str) -> None:
    body = {"name": "w", **wrong} if wrong else {}
    status, message = error_of(await api.client.post("/v2/datasets", json=body))
    assert status == 400
    assert message.startswith(told)


async def test_numbers_that_json_does_not_have_are_refused(api: Api) -> None:
    body = b'{"name": "w", "metadata": {"a": NaN}}'
    answer = await api.client.post("/v2/datasets", content=body, headers={"content-type": "application/json"})
    assert error_of(answer) == (400, "metadata")


async def test_datasets_page_through_while_others_are_created(api: Api) -> None:
    names = [f"page/{number}" for number in range(5)]
    for name in names:
        await create(api, name)
    seen: list[str] = []
    for number in (1, 2, 3):
        page = (await api.client.get("/v2/datasets", params={"page": number, "limit": 2})).json()
        seen += [dataset["name"] for dataset in page["data"]]
        await create(api, f"late/{number}")
    assert seen[:5] == names
    assert page["meta"] == {"page": 3, "limit": 2, "totalItems": 7, "totalPages": 4}
    assert (await api.client.get("/v2/datasets", params={"limit": 101})).status_code == 400


async def test_an_item_comes_back_as_it_was_written(api: Api) -> None:
    dataset = await create(api, "written")
    made = await put(
        api, "written", id="i 1/x", input={"b": 1, "a": "\u0000"}, expectedOutput=[1], metadata="m",
        sourceTraceId="t", sourceObservationId="o", status="ARCHIVED",
    )  # fmt: skip
    assert (await api.client.get("/dataset-items/i%201%2Fx")).json() == made
    assert list(made["input"]) == ["b", "a"]
    assert (made["input"]["a"], made["expectedOutput"], made["metadata"]) == ("\u0000", [1], "m")
    assert (made["sourceTraceId"], made["sourceObservationId"], made["status"]) == ("t", "o", "ARCHIVED")
    assert (made["datasetId"], made["datasetName"], made["mediaReferences"]) == (dataset["id"], "written", [])
    assert parse_obj_as(SdkItem, made).dataset_name == "written"
    plain = await put(api, "written")
    assert (plain["input"], plain["status"]) == (None, "ACTIVE")
    assert [item["id"] for item in await listed(api, sourceTraceId="t", sourceObservationId="o")] == ["i 1/x"]
    assert [item["id"] for item in await listed(api, datasetName="written", status="ACTIVE")] == [plain["id"]]


async def test_an_item_of_the_same_id_is_a_new_version_and_null_keeps_what_there_is(api: Api) -> None:
    await create(api, "upsert")
    first = await put(api, "upsert", id="u1", input={"q": 1}, expectedOutput="a", metadata={"m": 1})
    second = await put(api, "upsert", id="u1", input={"q": 2}, expectedOutput=None, status="ARCHIVED")
    assert (second["input"], second["expectedOutput"], second["metadata"]) == ({"q": 2}, "a", {"m": 1})
    assert second["status"] == "ARCHIVED"
    assert second["createdAt"] == first["createdAt"]
    assert second["version"] > first["version"]
    assert [item["input"] for item in await listed(api, datasetName="upsert")] == [{"q": 2}]


async def test_a_dataset_is_read_as_it_was_at_any_moment(api: Api) -> None:
    await create(api, "past")
    first = await put(api, "past", id="p1", input=1)
    second = await put(api, "past", id="p2", input=2)
    changed = await put(api, "past", id="p1", input=10)
    assert (await api.client.delete("/dataset-items/p2")).json() == {"message": "Dataset item successfully deleted"}

    async def at(version: str) -> list[Any]:
        return [item["input"] for item in await listed(api, datasetName="past", version=version)]

    assert await at(first["version"]) == [1]
    assert await at(second["version"]) in ([1, 2], [10, 2])
    assert await at(changed["version"]) == [10, 2]
    assert await at("2999-01-01T00:00:00Z") == [10]
    assert await at("2020-01-01T00:00:00") == []
    assert [item["input"] for item in await listed(api, datasetName="past")] == [10]
    assert (await api.client.get("/dataset-items/p2")).status_code == 404
    assert (await api.client.delete("/dataset-items/p2")).status_code == 404
    again = await put(api, "past", id="p2", input=20)
    assert again["version"] > second["version"]
    assert await at(again["version"]) == [10, 20]


async def test_a_version_needs_its_dataset(api: Api) -> None:
    answer = await api.client.get("/dataset-items", params={"version": "2026-01-01T00:00:00Z"})
    assert error_of(answer)[1].startswith("datasetName:")
    answer = await api.client.get("/dataset-items", params={"version": "yesterday", "datasetName": "x"})
    assert error_of(answer) == (400, "version")


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"id": ""}, "id"),
        ({"id": "x" * 256}, "id"),
        ({"status": "GONE"}, "status"),
        ({"datasetName": None}, "datasetName"),
        ({"sourceTraceId": "\0"}, "sourceTraceId"),
    ],
)
async def test_what_cannot_be_an_item_is_refused(api: Api, wrong: dict[str, Any], path: str) -> None:
    answer = await api.client.post("/dataset-items", json={"datasetName": "any", **wrong})
    assert error_of(answer) == (400, path)


async def test_items_that_do_not_meet_the_schemas_are_refused_by_item_and_path(api: Api) -> None:
    await create(api, "held", inputSchema=QUESTION, expectedOutputSchema={"type": "string", "pattern": "^[a-z]+$"})
    await put(api, "held", id="good", input={"question": "why?", "hops": [1]}, expectedOutput="because")
    await put(api, "held", id="open", input={"question": "why?"})
    bad = {"datasetName": "held", "id": "bad", "input": {"question": "why?", "hops": [1, "2"]}}
    assert error_of(await api.client.post("/dataset-items", json=bad)) == (
        400, "input: item 'bad', at $.hops[1]: '2' is not of type 'integer'",
    )  # fmt: skip
    bad = {"datasetName": "held", "id": "good", "expectedOutput": "NO"}
    assert error_of(await api.client.post("/dataset-items", json=bad)) == (
        400, "expectedOutput: item 'good', at $: 'NO' does not match '^[a-z]+$'",
    )  # fmt: skip
    assert (await api.client.get("/dataset-items/good")).json()["expectedOutput"] == "because"
    assert (await api.client.get("/dataset-items/bad")).status_code == 404
    status, message = error_of(await api.client.post("/dataset-items", json={"datasetName": "held", "id": "none"}))
    assert (status, message[:27]) == (400, "input: item 'none', at $: N")


async def test_a_schema_must_fit_the_items_that_are_there(api: Api) -> None:
    await create(api, "filled")
    await put(api, "filled", id="f1", input={"question": 1})
    answer = await api.client.post("/v2/datasets", json={"name": "filled", "inputSchema": QUESTION})
    status, message = error_of(answer)
    assert status == 400
    assert "item 'f1', at $.question: 1 is not of type 'string'" in message
    assert (await api.client.get("/v2/datasets/filled")).json()["inputSchema"] is None
    await put(api, "filled", id="f1", input={"question": "1"})
    assert (await create(api, "filled", inputSchema=QUESTION))["inputSchema"] == QUESTION


async def test_a_schema_fetches_nothing_and_ends(api: Api) -> None:
    bomb: dict[str, Any] = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    for name, schema, told in (
        ("remote", {"$ref": "http://127.0.0.1:1/schema"}, "refers to"),
        ("circle", {"$ref": "#"}, "unfold"),
        ("bomb", {"$ref": "#/$defs/d0", "$defs": {**bomb, "d40": False}}, "unfold"),
    ):
        await create(api, name, inputSchema=schema)
        status, message = error_of(await api.client.post("/dataset-items", json={"datasetName": name, "input": 1}))
        assert status == 400
        assert told in message
    slow = {"type": "string", "pattern": "^(a+)+$"}
    await create(api, "slow", inputSchema=slow)
    answer = await api.client.post("/dataset-items", json={"datasetName": "slow", "input": "a" * 5000 + "!"})
    assert answer.status_code == 400


async def test_items_page_through_in_order_while_others_arrive(api: Api) -> None:
    await create(api, "pages")
    for number in range(5):
        await put(api, "pages", id=f"pg{number}", input=number)
    seen: list[int] = []
    for number in (1, 2, 3):
        seen += [item["input"] for item in await listed(api, datasetName="pages", page=number, limit=2)]
        await put(api, "pages", id=f"pg{number}", metadata="changed")
        await put(api, "pages", input=4 + number)
    assert seen == [0, 1, 2, 3, 4, 5]


async def test_a_name_that_was_encoded_twice_is_found_unless_it_is_another_ones(api: Api) -> None:
    await create(api, "qa/two words")
    await put(api, "qa/two words", id="decoded")

    assert [item["id"] for item in await listed(api, datasetName="qa/two%20words")] == ["decoded"]

    await create(api, "qa/two%20words")
    assert await listed(api, datasetName="qa/two%20words") == []


async def test_the_same_item_written_at_once_has_versions_that_follow_each_other(api: Api) -> None:
    await create(api, "raced")
    made = await asyncio.gather(*(put(api, "raced", id="r", input=number) for number in range(8)))
    versions = sorted((one["version"], one["input"]) for one in made)
    assert len({version for version, _ in versions}) == 8
    assert [item["input"] for item in await listed(api, datasetName="raced")] == [versions[-1][1]]


async def test_an_id_belongs_to_one_dataset(api: Api) -> None:
    for name in ("one", "other"):
        await create(api, name)
    await put(api, "one", id="taken")
    answer = await api.client.post("/dataset-items", json={"datasetName": "other", "id": "taken"})
    assert error_of(answer) == (400, "id: 'taken' is an item of another dataset")


async def test_what_belongs_to_another_project_is_not_there(api: Api) -> None:
    other = await Projects(api.database).create(f"other {uuid.uuid4()}", organization_name="Another organization")
    await Datasets(api.database, other.id).put(NewDataset(name="theirs"))
    await DatasetItems(api.database, other.id).put("theirs", [ItemChange(id="their item")])
    theirs = (
        ("GET", "/v2/datasets/theirs"),
        ("GET", "/dataset-items?datasetName=theirs"),
        ("GET", "/dataset-items/their%20item"),
        ("DELETE", "/dataset-items/their%20item"),
    )
    for method, path in theirs:
        answer = await api.client.request(method, path)
        assert (answer.status_code, answer.json()["error"]) == (404, "LangfuseNotFoundError")
    answer = await api.client.post("/dataset-items", json={"datasetName": "theirs"})
    assert error_of(answer)[0] == 404
    await create(api, "theirs")
    assert (await put(api, "theirs", id="their item", input=1))["input"] == 1
    assert await listed(api, sourceTraceId="nothing") == []


async def test_media_in_items_are_resolved_once_they_are_uploaded(api: Api) -> None:
    dataset = await create(api, "media")
    content = b"a picture"
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    upload = {
        "datasetId": dataset["id"], "datasetItemId": "m1", "contentType": "image/png", "contentLength": len(content),
        "sha256Hash": digest, "field": "input",
    }  # fmt: skip
    started = (await api.client.post("/media", json=upload)).json()
    reference = f"@@@langfuseMedia:type=image/png|id={started['mediaId']}|source=bytes@@@"
    made = await put(api, "media", id="m1", input={"it's": [1, f"see {reference}"]})
    assert made["mediaReferences"] == []
    async with httpx.AsyncClient() as store:
        signed = {"content-type": "image/png", "x-amz-checksum-sha256": digest}
        assert (await store.put(started["uploadUrl"], content=content, headers=signed)).status_code == 200
    done = {"uploadedAt": "2026-11-20T12:00:00Z", "uploadHttpStatus": 200}
    assert (await api.client.patch(f"/media/{started['mediaId']}", json=done)).status_code == 200
    item = (await api.client.get("/dataset-items/m1")).json()
    (found,) = item["mediaReferences"]
    assert (found["field"], found["referenceString"], found["jsonPath"]) == ("input", reference, r"$['it\'s'][1]")
    assert (found["media"]["mediaId"], found["media"]["contentLength"]) == (started["mediaId"], len(content))
    assert parse_obj_as(SdkItem, item).media_references[0].media.content_type == "image/png"

"""Experiments and their items, from the observations that the SDK sends of them."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from langfuse.api import ExperimentItemsResponse, ExperimentsResponse
from langfuse.api.core.pydantic_utilities import parse_obj_as

from heliograph.domain.datasets import NewDataset
from heliograph.domain.experiments import DatasetRun
from storage.postgres.dataset_runs import DatasetRuns
from storage.postgres.datasets import Datasets
from tests.factories import NOON
from tests.integration.api.conftest import Api
from tests.integration.api.test_datasets import error_of

EARLY = {"fromStartTime": "2026-01-01T00:00:00Z"}
MINUTE = timedelta(minutes=1)


def item(api: Api, experiment: str, number: int, **more: Any) -> list[dict[str, Any]]:
    """The spans of an item: its run, its task, which is the item, and its evaluation."""
    trace = f"{experiment}-{number}"
    told = {
        "id": experiment,
        "name": f"name of {experiment}",
        "description": "described",
        "metadata.model": "gpt-4o",
        "dataset.id": "d1",
        "item.id": f"item {number}",
        "item.version": "2026-11-20T11:00:00.123Z",
        "item.root_observation_id": f"task-{trace}",
        "item.expected_output": '{"a": 1}',
        "item.metadata.kind": "easy",
    } | more.pop("told", {})  # fmt: skip
    metadata = [*((f"langfuse.experiment.{key}", value) for key, value in told.items()), ("own", '"x"')]
    start = more.pop("start_time", NOON + number * MINUTE)
    spans = (("run", "", start), ("task", f"run-{trace}", start), ("evaluation", f"run-{trace}", start + MINUTE / 2))
    return [
        api.stored.observation(
            trace, f"{name}-{trace}", parent_observation_id=parent, start_time=at, metadata=metadata,
            input='{"q": 1}', output="answer", environment="sdk-experiment", **more,
        )
        for name, parent, at in spans
    ]  # fmt: skip


async def experiments(api: Api, **params: Any) -> dict[str, Any]:
    answer = await api.client.get("/experiments", params={**EARLY, **params})
    assert answer.status_code == 200, answer.text
    parse_obj_as(ExperimentsResponse, answer.json())
    return dict(answer.json())


async def items(api: Api, **params: Any) -> dict[str, Any]:
    answer = await api.client.get("/experiment-items", params={**EARLY, **params})
    assert answer.status_code == 200, answer.text
    parse_obj_as(ExperimentItemsResponse, answer.json())
    return dict(answer.json())


def ids(answer: dict[str, Any]) -> list[str]:
    return [one["id"] for one in answer["data"]]


async def test_an_experiment_is_made_of_its_items(api: Api) -> None:
    api.stored.insert("observations", *item(api, "e1", 0), *item(api, "e1", 1), api.stored.observation("t", "o"))
    (found,) = (await experiments(api, fields="core,metadata"))["data"]
    assert found == {
        "id": "e1", "name": "name of e1", "description": "described", "datasetId": "d1", "itemCount": 2,
        "startTime": "2026-11-20T12:00:00.000Z", "endTime": "2026-11-20T12:01:31.000Z", "metadata": {"model": "gpt-4o"},
    }  # fmt: skip
    assert "metadata" not in (await experiments(api))["data"][0]


async def test_an_item_is_shown_with_the_groups_that_are_asked_for(api: Api) -> None:
    api.stored.insert("observations", *item(api, "e1", 0, level="ERROR"))
    groups = "core,dataset,io,metadata,itemMetadata,experimentMetadata"
    core = {
        "id": "task-e1-0", "traceId": "e1-0", "startTime": "2026-11-20T12:00:00.000Z",
        "endTime": "2026-11-20T12:00:01.000Z", "level": "ERROR", "environment": "sdk-experiment",
        "experimentId": "e1", "experimentName": "name of e1", "experimentItemId": "item 0",
    }  # fmt: skip
    dataset = {"experimentDatasetId": "d1", "experimentItemVersion": "2026-11-20T11:00:00.123Z"}
    assert (await items(api, fields=groups))["data"] == [
        {
            **core, **dataset, "input": {"q": 1}, "output": "answer", "expectedOutput": {"a": 1},
            "metadata": {"own": "x"}, "experimentItemMetadata": {"kind": "easy"},
            "experimentMetadata": {"model": "gpt-4o"}, "experimentDescription": "described",
        }
    ]  # fmt: skip
    assert (await items(api))["data"] == [{**core, **dataset}]
    assert (await items(api, fields="core"))["data"] == [core]


async def test_an_experiment_over_local_items_has_no_dataset(api: Api) -> None:
    told = {"dataset.id": "", "item.version": "no time", "item.expected_output": ""}
    api.stored.insert("observations", *item(api, "local", 0, told=told))
    assert (await experiments(api))["data"][0]["datasetId"] is None
    (found,) = (await items(api, fields="dataset,io"))["data"]
    assert (found["experimentDatasetId"], found["experimentItemVersion"], found["expectedOutput"]) == (None, None, None)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"id": "e1"}, ["e1"]),
        ({"id": "e2, e1"}, ["e2", "e1"]),
        ({"name": "name of e3"}, ["e3"]),
        ({"datasetId": "d2,d3"}, ["e3"]),
        ({"fromStartTime": "2026-11-20T12:15:00Z"}, ["e3", "e2"]),
        ({"toStartTime": "2026-11-20T12:15:00Z"}, ["e1"]),
        ({"filter": json.dumps([{"type": "string", "column": "name", "operator": "contains", "value": "e2"}])}, ["e2"]),
        ({"filter": json.dumps([{"type": "stringOptions", "column": "datasetId", "operator": "any of",
                                 "value": ["d2"]}])}, ["e3"]),
    ],
)  # fmt: skip
async def test_experiments_are_filtered(api: Api, asked: dict[str, Any], found: list[str]) -> None:
    api.stored.insert(
        "observations",
        *item(api, "e1", 10),
        *item(api, "e2", 20),
        *item(api, "e3", 30, told={"dataset.id": "d2"}),
    )
    assert ids(await experiments(api, **asked)) == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"experimentId": "e1"}, ["task-e1-11", "task-e1-10"]),
        ({"experimentName": "name of e2"}, ["task-e2-20"]),
        ({"experimentItemId": "item 11,item 20"}, ["task-e2-20", "task-e1-11"]),
        ({"datasetId": "nothing"}, []),
        ({"toStartTime": "2026-11-20T12:11:00Z"}, ["task-e1-10"]),
        ({"filter": json.dumps([{"type": "string", "column": "experimentItemId", "operator": "=",
                                 "value": "item 10"}])}, ["task-e1-10"]),
    ],
)  # fmt: skip
async def test_items_are_filtered(api: Api, asked: dict[str, Any], found: list[str]) -> None:
    api.stored.insert("observations", *item(api, "e1", 10), *item(api, "e1", 11), *item(api, "e2", 20))
    assert ids(await items(api, **asked)) == found


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"fromStartTime": ""}, "fromStartTime"),
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"scoreLimit": 51}, "scoreLimit"),
        ({"cursor": "nonsense"}, "cursor:"),
        ({"cursor": "eyJ2IjoyfQ"}, "cursor:"),
        ({"filter": '[{"type": "string", "column": "input", "operator": "=", "value": "x"}]'}, "filter:"),
        ({"filter": "[1]"}, "filter"),
        ({"datasetId": "\0"}, "datasetId"),
    ],
)
@pytest.mark.parametrize("route", ["/experiments", "/experiment-items"])
async def test_what_cannot_be_asked_is_refused(api: Api, route: str, asked: dict[str, Any], told: str) -> None:
    status, message = error_of(await api.client.get(route, params={**EARLY, **asked}))
    assert status == 400
    assert message.startswith(told)
    assert (await api.client.get(route)).status_code == 400


async def walked(api: Api, route: str, arriving: Any) -> list[str]:
    """The ids of every page of two, while others arrive."""
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer: httpx.Response = await api.client.get(route, params={**EARLY, "limit": 2, **cursor})
        assert answer.status_code == 200
        page = answer.json()
        seen += ids(page)
        if "cursor" not in page["meta"]:
            return seen
        cursor = {"cursor": page["meta"]["cursor"]}
        api.stored.insert("observations", *arriving())


async def test_experiments_page_through_without_gap_or_repeat_while_they_run_on(api: Api) -> None:
    for number in range(5):
        api.stored.insert("observations", *item(api, f"e{number}", number))
    later = iter(range(10))

    def goes_on() -> list[dict[str, Any]]:
        return item(api, "e0", 100 + next(later), created_at=datetime.now(UTC) + timedelta(hours=1))

    assert await walked(api, "/experiments", goes_on) == ["e4", "e3", "e2", "e1", "e0"]


async def test_an_experiment_of_a_sender_whose_clock_is_ahead_is_listed(api: Api) -> None:
    ahead = datetime.now(UTC) + timedelta(minutes=5)
    api.stored.insert("observations", *item(api, "e1", 0, start_time=ahead, created_at=NOON))
    assert ids(await experiments(api)) == ["e1"]


async def test_items_page_through_without_gap_or_repeat_while_others_arrive(api: Api) -> None:
    for number in range(5):
        api.stored.insert("observations", *item(api, "e", number, start_time=NOON))
    api.stored.insert("observations", *item(api, "e", 5))
    newer = iter(range(6, 20))
    seen = await walked(api, "/experiment-items", lambda: item(api, "e", next(newer)))
    assert seen[0] == "task-e-5"
    assert sorted(seen) == sorted(f"task-e-{number}" for number in range(6))


async def test_scores_of_experiments_and_of_items_are_told_apart(api: Api) -> None:
    api.stored.insert("observations", *item(api, "e1", 0), *item(api, "e1", 1))
    api.stored.insert(
        "scores",
        api.stored.score("run score", dataset_run_id="e1", value=0.75),
        api.stored.score("older", dataset_run_id="e1", timestamp=NOON - MINUTE),
        api.stored.score("item score", trace_id="e1-0", observation_id="task-e1-0"),
        api.stored.score("trace score", trace_id="e1-0", timestamp=NOON + MINUTE),
        api.stored.score("span score", trace_id="e1-0", observation_id="run-e1-0"),
    )
    (found,) = (await experiments(api, fields="scores"))["data"]
    assert [(score["id"], score["value"]) for score in found["scores"]] == [("run score", 0.75), ("older", 0.5)]
    assert found["scores"][0]["subject"] == {"kind": "experiment", "id": "e1"}
    (found,) = (await experiments(api, fields="scores", scoreLimit=1))["data"]
    assert ids({"data": found["scores"]}) == ["run score"]
    second, first = (await items(api, fields="scores"))["data"]
    assert (ids({"data": first["scores"]}), second["scores"]) == (["trace score", "item score"], [])


async def test_deleted_experiments_are_not_listed(api: Api) -> None:
    dataset = await Datasets(api.database, api.project.id).put(NewDataset(name=f"d {uuid.uuid4()}"))
    api.stored.insert("observations", *item(api, "gone", 0), *item(api, "stays", 1))
    run = DatasetRun(
        id="gone", dataset_id=dataset.id, name="gone", description=None, metadata=None, created_at=NOON, updated_at=NOON
    )
    await DatasetRuns(api.database, api.project.id).delete([run])
    assert ids(await experiments(api)) == ["stays"]
    assert ids(await items(api)) == ["task-stays-1"]


async def test_experiments_of_another_project_are_not_there(api: Api) -> None:
    api.stored.insert("observations", *[{**row, "project_id": "another"} for row in item(api, "theirs", 0)])
    assert (await experiments(api, id="theirs"))["data"] == []
    assert (await items(api, experimentId="theirs"))["data"] == []

"""Runs that were reported item by item, as the current generation lists experiments and their items."""

import json
from datetime import timedelta
from typing import Any

import pytest

from heliograph.domain.datasets import run_id
from tests.factories import NOON
from tests.integration.api.conftest import Api
from tests.integration.api.test_dataset_runs import report
from tests.integration.api.test_datasets import create, put
from tests.integration.api.test_experiments import experiments, ids, item, items

MINUTE = timedelta(minutes=1)


async def reported(api: Api, run: str, *minutes: int, **more: Any) -> str:
    """Report an item that ran in a trace at each of these minutes; return the id of the run."""
    dataset = await create(api, "set")
    await put(api, "set", id="i1", expectedOutput="Lima", metadata={"kind": "easy"})
    for minute in minutes:
        at = (NOON + minute * MINUTE).isoformat()
        place = {"runName": run, "datasetItemId": "i1", "traceId": f"t{minute}", "createdAt": at}
        await report(api, **(place | more))
    return run_id(api.project.id, dataset["id"], run)


async def test_a_reported_run_is_an_experiment_with_its_scores(api: Api) -> None:
    run = await reported(api, "by hand", 0, 2, runDescription="why", metadata={"model": "m", "k": 1})
    api.stored.insert("scores", api.stored.score("mean", dataset_run_id=run, value=0.75))

    (found,) = (await experiments(api, fields="core,metadata,scores"))["data"]

    assert (found["id"], found["name"], found["description"], found["itemCount"]) == (run, "by hand", "why", 2)
    assert (found["startTime"], found["endTime"]) == ("2026-11-20T12:00:00.000Z", "2026-11-20T12:02:00.000Z")
    assert (found["metadata"], found["datasetId"]) == ({"model": "m", "k": 1}, (await create(api, "set"))["id"])
    assert [(score["id"], score["value"]) for score in found["scores"]] == [("mean", 0.75)]


async def test_an_item_that_ran_in_an_observation_is_shown_as_that(api: Api) -> None:
    run = await reported(api, "r", 0, observationId="o", metadata={"model": "m"})
    observed = api.stored.observation(
        "t0", "o", parent_observation_id="root", input='"Peru"', output="Lima", level="ERROR"
    )
    api.stored.insert("observations", observed, api.stored.observation("another", "o"))
    api.stored.insert("scores", api.stored.score("exact", trace_id="t0", observation_id="o"))

    (found,) = (await items(api, fields="core,dataset,io,itemMetadata,experimentMetadata,scores"))["data"]

    assert (found["id"], found["traceId"], found["level"]) == ("o", "t0", "ERROR")
    assert (found["experimentId"], found["experimentName"], found["experimentItemId"]) == (run, "r", "i1")
    assert (found["input"], found["output"], found["expectedOutput"]) == ("Peru", "Lima", "Lima")
    assert (found["experimentItemMetadata"], found["experimentMetadata"]) == ({"kind": "easy"}, {"model": "m"})
    assert ids({"data": found["scores"]}) == ["exact"]


async def test_an_item_that_ran_in_a_whole_trace_is_shown_as_that(api: Api) -> None:
    await reported(api, "r", 0, 1)
    api.stored.insert("traces", api.stored.trace("t0", input='{"q": 1}', output="so", environment="e"))
    api.stored.insert("scores", api.stored.score("exact", trace_id="t0"))

    unseen, found = (await items(api, fields="core,io,scores"))["data"]

    assert (found["id"], found["traceId"], found["environment"]) == ("t0", "t0", "e")
    assert (found["input"], found["output"], ids({"data": found["scores"]})) == ({"q": 1}, "so", ["exact"])
    assert (unseen["id"], unseen["startTime"], unseen["output"]) == ("t1", "2026-11-20T12:01:00.000Z", None)


async def test_a_run_that_was_told_both_ways_is_listed_once(api: Api) -> None:
    run = await reported(api, "both", 0)
    api.stored.insert("observations", *item(api, run, 0))

    assert ids(await experiments(api)) == [run]
    assert ids(await items(api)) == [f"task-{run}-0"]


async def test_a_deleted_run_is_no_experiment(api: Api) -> None:
    await reported(api, "gone", 0)
    await reported(api, "stays", 1)
    assert (await api.client.delete("/datasets/set/runs/gone")).status_code == 200

    assert [one["name"] for one in (await experiments(api))["data"]] == ["stays"]
    assert ids(await items(api)) == ["t1"]


def filtered(column: str, operator: str, value: str) -> dict[str, str]:
    return {"filter": json.dumps([{"type": "string", "column": column, "operator": operator, "value": value}])}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"name": "first"}, ["first"]),
        ({"name": "second, third"}, ["third", "second"]),
        ({"fromStartTime": "2026-11-20T12:15:00Z"}, ["third", "second"]),
        ({"toStartTime": "2026-11-20T12:15:00Z"}, ["first"]),
        ({"datasetId": "nothing"}, []),
        (filtered("name", "contains", "ir"), ["third", "first"]),
        (filtered("name", "does not contain", "ir"), ["second"]),
        (filtered("name", "starts with", "th"), ["third"]),
        (filtered("name", "ends with", "d"), ["third", "second"]),
        (filtered("name", "=", "sec_nd"), []),
    ],
)
async def test_reported_runs_are_filtered_like_experiments(api: Api, asked: dict[str, Any], found: list[str]) -> None:
    for name, minute in (("first", 10), ("second", 20), ("third", 30)):
        await reported(api, name, minute)

    assert [one["name"] for one in (await experiments(api, **asked))["data"]] == found
    of_items = {
        key.replace("name", "experimentName"): text.replace('"name"', '"experimentName"') for key, text in asked.items()
    }
    assert [one["experimentName"] for one in (await items(api, **of_items))["data"]] == found

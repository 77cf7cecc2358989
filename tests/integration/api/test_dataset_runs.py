"""Runs over datasets through the API: reported item by item, told by the spans of experiments, or both."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from heliograph.domain.datasets import ItemChange, NewDataset, run_id
from heliograph.domain.experiments import ReportedItem
from storage.postgres.dataset_items import DatasetItems
from storage.postgres.dataset_runs import DatasetRuns
from storage.postgres.datasets import Datasets
from storage.postgres.projects import Projects
from tests.factories import NOON
from tests.integration.api.conftest import Api
from tests.integration.api.test_datasets import create, error_of, put

RAN = {"runName": "first", "datasetItemId": "ri", "traceId": "t1"}


def ran(api: Api, dataset: Mapping[str, Any], run: str, *place: str, **more: Any) -> dict[str, Any]:
    """The observation in which an item ran, as the SDK's experiments send it; its place is the item and the trace."""
    item, trace = place
    experiment = {
        "id": run_id(api.project.id, dataset["id"], run),
        "name": run,
        "dataset.id": dataset["id"],
        "description": "described",
        "metadata.temperature": "0.5",
        "item.id": item,
        "item.root_observation_id": f"o-{trace}",
    }
    metadata = [(f"langfuse.experiment.{key}", value) for key, value in experiment.items()]
    return api.stored.observation(trace, f"o-{trace}", metadata=metadata, **more)


async def report(api: Api, **more: Any) -> dict[str, Any]:
    answer = await api.client.post("/dataset-run-items", json=more)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def run_names(api: Api, dataset: str) -> list[str]:
    answer = await api.client.get(f"/datasets/{dataset}/runs")
    return [run["name"] for run in answer.json()["data"]]


async def test_items_that_are_reported_make_a_run(api: Api) -> None:
    dataset = await create(api, "reported/set")
    await put(api, "reported/set", id="ri")
    made = await report(api, **RAN, runDescription="why", metadata={"model": "a"}, observationId="o1")
    assert made["datasetRunId"] == run_id(api.project.id, dataset["id"], "first")
    assert (made["datasetRunName"], made["datasetItemId"]) == ("first", "ri")
    assert (made["traceId"], made["observationId"]) == ("t1", "o1")
    run = (await api.client.get("/datasets/reported%2Fset/runs/first")).json()
    assert run["datasetRunItems"] == [{**made, "updatedAt": run["datasetRunItems"][0]["updatedAt"]}]
    assert (run["id"], run["name"], run["description"]) == (made["datasetRunId"], "first", "why")
    assert (run["metadata"], run["datasetId"], run["datasetName"]) == ({"model": "a"}, dataset["id"], "reported/set")


async def test_the_same_item_reported_again_is_no_other_and_keeps_what_is_known_of_the_run(api: Api) -> None:
    await create(api, "again")
    await put(api, "again", id="ri")
    first = await report(api, **RAN, runDescription="why", metadata={"a": 1})
    second = await report(api, **RAN)
    assert second["id"] == first["id"]
    run = (await api.client.get("/datasets/again/runs/first")).json()
    assert len(run["datasetRunItems"]) == 1
    assert (run["description"], run["metadata"]) == ("why", {"a": 1})
    at = await report(api, **{**RAN, "traceId": "t2"}, createdAt="2026-01-02T03:04:05.678Z")
    assert at["createdAt"] == "2026-01-02T03:04:05.678Z"


async def test_the_trace_of_an_observation_is_found(api: Api) -> None:
    await create(api, "observed")
    await put(api, "observed", id="ri")
    api.stored.insert("observations", api.stored.observation("its trace", "its observation"))
    made = await report(api, runName="r", datasetItemId="ri", observationId="its observation")
    assert (made["traceId"], made["observationId"]) == ("its trace", "its observation")


async def test_what_cannot_be_reported_is_refused(api: Api) -> None:
    await create(api, "refusing")
    made = await put(api, "refusing", id="ri")
    for wrong, status, told in (
        ({"traceId": None}, 400, "traceId:"),
        ({"runName": ""}, 400, "runName"),
        ({"unknown": 1}, 400, "unknown"),
        ({"createdAt": "soon"}, 400, "createdAt"),
        ({"datasetItemId": "missing"}, 404, "Dataset item 'missing' not found"),
        ({"datasetVersion": "2020-01-01T00:00:00Z"}, 404, "Dataset item 'ri' not found"),
        ({"traceId": None, "observationId": "missing"}, 404, "Observation missing not found"),
    ):
        found, message = error_of(await api.client.post("/dataset-run-items", json={**RAN, **wrong}))
        assert found == status
        assert message.startswith(told)
    assert (await report(api, **RAN, datasetVersion=made["version"]))["datasetItemId"] == "ri"


async def test_experiments_are_runs_of_their_dataset(api: Api) -> None:
    dataset = await create(api, "experiments of it")
    api.stored.insert(
        "observations",
        ran(api, dataset, "by spans", "i1", "t1"),
        ran(api, dataset, "by spans", "i2", "t2", start_time=NOON + timedelta(minutes=1)),
        api.stored.observation("t1", "child", metadata=[("langfuse.experiment.id", "another")]),
    )
    (run,) = (await api.client.get("/datasets/experiments%20of%20it/runs")).json()["data"]
    assert run["id"] == run_id(api.project.id, dataset["id"], "by spans")
    assert (run["name"], run["description"]) == ("by spans", "described")
    assert (run["metadata"], run["createdAt"]) == ({"temperature": 0.5}, "2026-11-20T12:00:00.000Z")
    whole = (await api.client.get("/datasets/experiments%20of%20it/runs/by%20spans")).json()
    assert [(item["datasetItemId"], item["traceId"], item["observationId"]) for item in whole["datasetRunItems"]] == [
        ("i1", "t1", "o-t1"), ("i2", "t2", "o-t2"),
    ]  # fmt: skip


async def test_a_run_that_is_told_both_ways_is_one_run(api: Api) -> None:
    dataset = await create(api, "both")
    await put(api, "both", id="i1")
    await report(api, runName="one", datasetItemId="i1", traceId="t1", metadata={"from": "report"})
    api.stored.insert("observations", ran(api, dataset, "one", "i1", "t1"), ran(api, dataset, "one", "i2", "t2"))
    assert await run_names(api, "both") == ["one"]
    run = (await api.client.get("/datasets/both/runs/one")).json()
    assert (run["metadata"], run["description"]) == ({"from": "report"}, "described")
    assert sorted((item["datasetItemId"], item["traceId"]) for item in run["datasetRunItems"]) == [
        ("i1", "t1"), ("i2", "t2"),
    ]  # fmt: skip
    items = (await api.client.get("/dataset-run-items", params={"datasetId": dataset["id"], "runName": "one"})).json()
    assert items["data"] == run["datasetRunItems"]


async def test_a_deleted_run_is_gone_and_what_is_sent_later_starts_anew(api: Api) -> None:
    dataset = await create(api, "deleting")
    await put(api, "deleting", id="i1")
    await report(api, runName="gone", datasetItemId="i1", traceId="t1", runDescription="old")
    before = datetime.now(UTC) - timedelta(minutes=1)
    for run in ("gone", "spans only", "stays"):
        api.stored.insert("observations", ran(api, dataset, run, "i1", f"{run} 1", start_time=before))
    ahead = {"start_time": before + timedelta(minutes=10), "created_at": before}
    api.stored.insert("observations", ran(api, dataset, "spans only", "i1", "of a clock ahead", **ahead))
    for run in ("gone", "spans%20only"):
        deleted = await api.client.delete(f"/datasets/deleting/runs/{run}")
        assert deleted.json() == {"message": "Dataset run successfully deleted"}
        assert (await api.client.delete(f"/datasets/deleting/runs/{run}")).status_code == 404
    assert await run_names(api, "deleting") == ["stays"]
    made = await report(api, runName="gone", datasetItemId="i1", traceId="t2")
    after = datetime.now(UTC) + timedelta(minutes=1)
    api.stored.insert("observations", ran(api, dataset, "spans only", "i1", "later", start_time=after))
    assert await run_names(api, "deleting") == ["stays", "gone", "spans only"]
    run = (await api.client.get("/datasets/deleting/runs/gone")).json()
    assert ([item["id"] for item in run["datasetRunItems"]], run["description"]) == ([made["id"]], None)


async def test_runs_and_their_items_page_through_while_others_arrive(api: Api) -> None:
    dataset = await create(api, "many runs")
    await put(api, "many runs", id="i1")
    for number in range(4):
        await report(api, runName=f"run {number}", datasetItemId="i1", traceId="t")
        await report(api, runName="run 0", datasetItemId="i1", traceId=f"t{number}")
    names: list[str] = []
    traces: list[str] = []
    for page in (1, 2):
        answer = await api.client.get("/datasets/many%20runs/runs", params={"page": page, "limit": 2})
        names += [run["name"] for run in answer.json()["data"]]
        wanted = {"datasetId": dataset["id"], "runName": "run 0", "page": page, "limit": 3}
        items = (await api.client.get("/dataset-run-items", params=wanted)).json()
        traces += [item["traceId"] for item in items["data"]]
        await report(api, runName=f"late {page}", datasetItemId="i1", traceId="t")
    assert names == [f"run {number}" for number in range(4)]
    assert traces == ["t", "t0", "t1", "t2", "t3"]
    assert items["meta"] == {"page": 2, "limit": 3, "totalItems": 5, "totalPages": 2}


async def test_names_with_slashes_and_the_word_between_them_are_told_apart(api: Api) -> None:
    await create(api, "a/runs/b")
    await put(api, "a/runs/b", id="i1")
    await report(api, runName="c/runs/d?", datasetItemId="i1", traceId="t")
    run = (await api.client.get("/datasets/a%2Fruns%2Fb/runs/c%2Fruns%2Fd%3F")).json()
    assert (run["datasetName"], run["name"]) == ("a/runs/b", "c/runs/d?")


async def test_the_first_generation_answers_datasets_with_items_and_runs(api: Api) -> None:
    made = (await api.client.post("/datasets", json={"name": "old/style"})).json()
    active = await put(api, "old/style", id="i1", input=1)
    await put(api, "old/style", id="i2", status="ARCHIVED")
    await report(api, runName="r", datasetItemId="i1", traceId="t")
    assert (await api.client.get("/datasets/old%2Fstyle")).json() == {**made, "items": [active], "runs": ["r"]}
    (listed,) = (await api.client.get("/datasets")).json()["data"]
    assert listed == {**made, "items": ["i1"], "runs": ["r"]}


async def test_runs_of_another_project_are_not_there(api: Api) -> None:
    other = await Projects(api.database).create(f"other {uuid.uuid4()}", organization_name="Another organization")
    theirs = await Datasets(api.database, other.id).put(NewDataset(name="theirs"))
    await DatasetItems(api.database, other.id).put("theirs", [ItemChange(id="their item")])
    reported = ReportedItem(run_name="r", dataset_item_id="their item", trace_id="t")
    await DatasetRuns(api.database, other.id).report(reported)
    for method, path in (
        ("GET", "/datasets/theirs"),
        ("GET", "/datasets/theirs/runs"),
        ("GET", "/datasets/theirs/runs/r"),
        ("DELETE", "/datasets/theirs/runs/r"),
        ("GET", f"/dataset-run-items?datasetId={theirs.id}&runName=r"),
    ):
        answer = await api.client.request(method, path)
        assert (answer.status_code, answer.json()["error"]) == (404, "LangfuseNotFoundError")
    body = {"runName": "r", "datasetItemId": "their item", "traceId": "t"}
    assert (await api.client.post("/dataset-run-items", json=body)).status_code == 404
    assert len(await DatasetRuns(api.database, other.id).of_dataset(theirs.id)) == 1

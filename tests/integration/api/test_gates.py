"""Gates are kept by name, and the same experiment always gets the same verdict, with its reasons."""

from typing import Any

import pytest

from heliograph.domain.datasets import Dataset, ItemChange, NewDataset
from storage.postgres.dataset_items import DatasetItems
from storage.postgres.datasets import Datasets
from tests.integration.api.conftest import Api
from tests.integration.api.experiments import ran

GOOD = [1.0] * 19 + [0.0]
POOR = [1.0, 0.0] * 10


@pytest.fixture
async def dataset(api: Api) -> Dataset:
    found = await Datasets(api.database, api.project.id).put(NewDataset(name="qa/hard"))
    changes = [ItemChange(id=f"i{at:02}", input={"number": at}) for at in range(20)]
    await DatasetItems(api.database, api.project.id).put("qa/hard", changes)
    return found


async def kept(api: Api, *rules: dict[str, Any], **more: Any) -> None:
    body = {"name": "release", "datasetName": "qa/hard", "rules": rules, **more}
    answer = await api.client.put("/gates/release", json=body)
    assert answer.status_code == 200, answer.text


async def verdict(api: Api, experiment: str, **more: Any) -> dict[str, Any]:
    answer = await api.client.post("/gates/release/check", json={"experiment": experiment, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_threshold_has_to_be_kept_by_the_whole_interval_unless_the_estimate_is_asked(
    api: Api, dataset: Dataset
) -> None:
    ran(api, dataset, "good", {"right": GOOD})
    await kept(api, {"metric": "right", "atLeast": 0.9})
    found = await verdict(api, "good")
    assert not found["passed"]
    assert found["reasons"][0].startswith("right: 0.95 [")
    assert "not certainly at least 0.9" in found["reasons"][0]
    assert found == await verdict(api, "good")
    await kept(api, {"metric": "right", "atLeast": 0.9, "by": "estimate"}, {"metric": "right", "atLeast": 0.7})
    found = await verdict(api, "good")
    assert (found["passed"], found["reasons"], len(found["rules"])) == (True, [], 2)


async def test_a_difference_from_the_baseline_is_paired_item_by_item(api: Api, dataset: Dataset) -> None:
    ran(api, dataset, "base", {"right": GOOD})
    ran(api, dataset, "same", {"right": GOOD})
    ran(api, dataset, "poor", {"right": POOR})
    await kept(api, {"metric": "right", "of": "difference", "atLeast": -0.05}, baseline="base")
    assert (await verdict(api, "same"))["passed"]
    assert not (await verdict(api, "poor"))["passed"]
    assert (await verdict(api, "poor", baseline="poor"))["passed"]


async def test_a_baseline_that_another_version_judged_is_no_baseline(api: Api, dataset: Dataset) -> None:
    ran(api, dataset, "base", {"right": GOOD}, version="v0")
    ran(api, dataset, "new", {"right": GOOD}, version="v1")
    await kept(api, {"metric": "right", "of": "difference", "atLeast": -1}, baseline="base")
    found = await verdict(api, "new")
    assert "another version of the evaluator" in found["reasons"][0]


async def test_items_that_did_not_run_or_failed_break_a_gate(api: Api, dataset: Dataset) -> None:
    ran(api, dataset, "short", {"right": [1.0] * 18}, unscored={3: "{}"})
    await kept(api, {"metric": "right", "atLeast": 0.5})
    assert (await verdict(api, "short"))["reasons"] == [
        "of 20 items 2 did not run and 1 failed: more than 0.0% are not allowed"
    ]
    await kept(api, {"metric": "right", "atLeast": 0.5}, maxFailed=0.15)
    assert (await verdict(api, "short"))["passed"]


async def test_a_gate_is_about_the_items_of_its_version_of_the_dataset(api: Api, dataset: Dataset) -> None:
    items = DatasetItems(api.database, api.project.id)
    version = (await items.get("i19")).valid_from
    ran(api, dataset, "before", {"right": [1.0] * 20})
    await items.put("qa/hard", [ItemChange(id="late", input={"number": 20})])
    await kept(api, {"metric": "right", "atLeast": 0.5}, datasetVersion=version.isoformat())
    assert (await verdict(api, "before"))["passed"]
    await kept(api, {"metric": "right", "atLeast": 0.5})
    assert not (await verdict(api, "before"))["passed"]


async def test_gates_are_listed_replaced_removed_and_audited(api: Api, dataset: Dataset) -> None:
    await kept(api, {"metric": "cost_usd", "atMost": 0.1})
    await kept(api, {"metric": "latency_ms", "atMost": 900})
    (found,) = (await api.client.get("/gates")).json()["data"]
    assert [rule["metric"] for rule in found["rules"]] == ["latency_ms"]
    assert (await api.client.delete("/gates/release")).status_code == 200
    assert (await api.client.get("/gates/release")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": "release", "datasetName": "qa/hard", "rules": [{"metric": "right"}]},
        {"name": "release", "datasetName": "qa/hard", "rules": [{"metric": "right", "atLeast": 0, "of": "difference"}]},
        {"name": "another", "datasetName": "qa/hard", "rules": [{"metric": "right", "atLeast": 0}]},
    ],
)
async def test_a_gate_that_decides_nothing_is_refused(api: Api, dataset: Dataset, body: dict[str, Any]) -> None:
    assert (await api.client.put("/gates/release", json=body)).status_code == 400


async def test_an_unknown_dataset_gate_or_experiment_is_not_found(api: Api, dataset: Dataset) -> None:
    body = {"name": "release", "datasetName": "none", "rules": [{"metric": "right", "atLeast": 0}]}
    assert (await api.client.put("/gates/release", json=body)).status_code == 404
    assert (await api.client.post("/gates/release/check", json={"experiment": "x"})).status_code == 404

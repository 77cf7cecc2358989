"""Experiments compared item by item, as scipy and statsmodels compare the values themselves."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from heliograph.domain.datasets import Dataset, NewDataset
from storage.postgres.datasets import Datasets
from tests.integration.api.conftest import Api
from tests.integration.api.experiments import ran

RNG = np.random.default_rng(5)
BEFORE = RNG.normal(0.5, 0.1, 40).round(3)
AFTER = (BEFORE + RNG.normal(0.05, 0.05, 40)).round(3)


@pytest.fixture
async def dataset(api: Api) -> Dataset:
    return await Datasets(api.database, api.project.id).put(NewDataset(name="qa/hard"))


async def compared(api: Api, **asked: Any) -> dict[str, Any]:
    body = {"datasetName": "qa/hard", "first": "a", "second": "bb", **asked}
    answer = await api.client.post("/experiment-comparisons", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def metric(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    return next(dict(one) for one in found["metrics"] if one["name"] == name)


async def test_numbers_are_compared_by_wilcoxon_and_truths_by_mcnemar(api: Api, dataset: Dataset) -> None:
    right = (BEFORE > 0.5).astype(float), (AFTER > 0.5).astype(float)
    ran(api, dataset, "a", {"quality": BEFORE.tolist(), "right": right[0].tolist()})
    ran(api, dataset, "bb", {"quality": AFTER.tolist(), "right": right[1].tolist()})
    found = await compared(api)
    quality = metric(found, "quality")
    assert found["pairedItems"] == 40
    assert quality["difference"]["value"] == pytest.approx((AFTER - BEFORE).mean(), abs=1e-6)
    assert quality["difference"]["low"] < (AFTER - BEFORE).mean() < quality["difference"]["high"]
    assert quality["pValue"] == pytest.approx(stats.wilcoxon(AFTER - BEFORE).pvalue, abs=1e-6)
    assert (quality["wins"], quality["losses"]) == (int((AFTER > BEFORE).sum()), int((AFTER < BEFORE).sum()))
    gained, lost = int((right[1] > right[0]).sum()), int((right[1] < right[0]).sum())
    truth = metric(found, "right")
    assert (truth["test"], truth["wins"], truth["losses"]) == ("McNemar, exact", gained, lost)
    assert truth["pValue"] == pytest.approx(mcnemar([[0, gained], [lost, 0]], exact=True).pvalue, abs=1e-6)
    assert truth["adjustedPValue"] >= truth["pValue"]


async def test_cost_and_latency_stand_beside_quality_and_are_better_low(api: Api, dataset: Dataset) -> None:
    ran(api, dataset, "a", {"quality": [0.5] * 10})
    ran(api, dataset, "bb", {"quality": [0.5] * 10})
    found = await compared(api)
    latency = metric(found, "latency_ms")
    assert (latency["difference"]["value"], latency["wins"], latency["losses"]) == (pytest.approx(4.5), 0, 9)
    assert metric(found, "cost_usd")["ties"] == 10


async def test_two_versions_of_an_evaluator_are_refused_or_marked(api: Api, dataset: Dataset) -> None:
    ran(api, dataset, "a", {"quality": [0.1, 0.2]}, version="v1")
    ran(api, dataset, "bb", {"quality": [0.2, 0.4]}, version="v2")
    refused = metric(await compared(api), "quality")
    assert refused["difference"] is None
    assert "two versions" in refused["refused"]
    marked = metric(await compared(api, onVersionChange="mark"), "quality")
    assert (marked["firstVersion"], marked["secondVersion"]) == ("v1", "v2")
    assert marked["difference"]["value"] == pytest.approx(0.15)


async def test_what_failed_and_what_was_skipped_is_counted(api: Api, dataset: Dataset) -> None:
    unscored = json.dumps({"quality": {"version": "v1", "status": "failed", "reason": "no"}})
    ran(api, dataset, "a", {"quality": [None, None, 0.3, None]}, unscored={0: unscored, 3: "{}"})
    answer = await api.client.get("/experiment-summaries", params={"datasetName": "qa/hard", "runName": "a"})
    found = answer.json()
    assert (found["items"], found["failed"]) == (4, 1)
    assert metric(found, "quality")["mean"]["counts"] == {"n": 1, "failed": 2, "skipped": 1}


async def test_the_same_question_has_the_same_answer_and_items_come_with_the_greatest_loss_first(
    api: Api, dataset: Dataset
) -> None:
    ran(api, dataset, "a", {"quality": BEFORE.tolist()})
    ran(api, dataset, "bb", {"quality": AFTER.tolist()})
    found = await compared(api, withItems=True)
    assert found == await compared(api, withItems=True)
    first = found["items"][0]
    worst = int(np.argmin(AFTER - BEFORE))
    assert (first["metric"], first["itemId"], first["firstTraceId"]) == ("quality", f"i{worst:02}", f"a-{worst}")


async def test_an_unknown_experiment_is_not_found(api: Api, dataset: Dataset) -> None:
    ran(api, dataset, "a", {"quality": [0.5]})
    body = {"datasetName": "qa/hard", "first": "a", "second": "never"}
    assert (await api.client.post("/experiment-comparisons", json=body)).status_code == 404

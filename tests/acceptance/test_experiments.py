"""Experiments on a whole stack: run by the unmodified Langfuse SDK, read back through both generations of the API."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.stack import Stack
from tests.acceptance.test_event_life import client, eventually, run_sdk

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(300)]

RUNS = """
    import asyncio, json
    from langfuse import Evaluation, get_client

    langfuse = get_client()
    name = "qa/capitals of " + STYLE
    langfuse.create_dataset(name=name, description="capitals", input_schema={"type": "object", "required": ["country"]})
    for number, (country, capital) in enumerate([("France", "Paris"), ("Italy", "Rome"), ("Peru", "Lima")]):
        langfuse.create_dataset_item(dataset_name=name, id=f"{STYLE}-{number}", input={"country": country},
                                     expected_output=capital, metadata={"place": number})
    refused = ""
    try:
        langfuse.create_dataset_item(dataset_name=name, id=f"{STYLE}-bad", input={})
    except Exception as error:
        refused = str(error)
    dataset = langfuse.get_dataset(name)

    def answers(*, item, **more):
        return "Paris" if item.input["country"] == "France" else "Rome"

    async def answers_later(*, item, **more):
        await asyncio.sleep(0.01)
        return answers(item=item)

    def exact(*, output, expected_output, **more):
        return Evaluation(name="exact", value=float(output == expected_output))

    async def exact_later(**given):
        return exact(**given)

    def accuracy(*, item_results, **more):
        found = [one.value for result in item_results for one in result.evaluations]
        return Evaluation(name="accuracy", value=sum(found) / len(found), comment="of three")

    def run():
        is_sync = STYLE == "sync"
        return dataset.run_experiment(
            name="guess", run_name="first/guess", description="always Rome", metadata={"model": "none"},
            task=answers if is_sync else answers_later, evaluators=[exact if is_sync else exact_later],
            run_evaluators=[accuracy])

    async def run_on_a_loop():
        return run()

    result = run() if STYLE == "sync" else asyncio.run(run_on_a_loop())
    langfuse.flush()
    print(json.dumps({
        "dataset": dataset.id, "experiment": result.experiment_id, "refused": refused, "url": result.experiment_url,
        "outputs": sorted(one.output for one in result.item_results),
        "accuracy": result.run_evaluations[0].value,
        "traces": {one.item.id: one.trace_id for one in result.item_results},
    }))
"""
READS = """
    import datetime, json
    from langfuse import get_client

    api, start = get_client().api, datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    found = api.experiments.list(from_start_time=start, id=EXPERIMENT, fields="core,metadata,scores").data
    items = api.experiments.list_items(from_start_time=start, experiment_id=EXPERIMENT,
                                       fields="core,dataset,io,itemMetadata,scores").data
    print(json.dumps({
        "experiments": [[one.name, one.description, one.item_count, one.dataset_id, one.metadata,
                         [[score.name, score.value] for score in one.scores]] for one in found],
        "items": sorted([one.experiment_item_id, one.trace_id, one.input, one.output, one.expected_output,
                         one.experiment_item_metadata, [[s.name, s.value] for s in one.scores]] for one in items),
    }))
"""


@pytest.mark.parametrize("style", ["sync", "async"])
def test_an_experiment_of_the_sdk_is_read_back_with_its_items_and_scores(stack: Stack, style: str) -> None:
    ran = json.loads(run_sdk(stack, f"    STYLE = {style!r}\n{RUNS}"))
    assert ran["outputs"] == ["Paris", "Rome", "Rome"]
    assert ran["accuracy"] == pytest.approx(2 / 3)
    assert f"item '{style}-bad', at $: 'country' is a required property" in ran["refused"]

    def read() -> dict[str, Any] | None:
        found = json.loads(run_sdk(stack, f"    EXPERIMENT = {ran['experiment']!r}\n{READS}"))
        is_whole = found["experiments"] and found["experiments"][0][5] and all(item[6] for item in found["items"])
        return found if is_whole and len(found["items"]) == 3 else None

    found = eventually(read, 20)
    ((name, description, count, dataset_id, metadata, scores),) = found["experiments"]
    assert (name, description, count, dataset_id) == ("first/guess", "always Rome", 3, ran["dataset"])
    assert metadata == {"model": "none"}
    assert scores == [["accuracy", pytest.approx(2 / 3)]]
    assert found["items"] == [
        [
            f"{style}-{number}", ran["traces"][f"{style}-{number}"], {"country": country}, output, capital,
            {"place": number}, [["exact", float(output == capital)]],
        ]
        for number, (country, capital, output) in enumerate(
            [("France", "Paris", "Paris"), ("Italy", "Rome", "Rome"), ("Peru", "Lima", "Rome")]
        )
    ]  # fmt: skip

    with client(stack) as http:
        path = f"/datasets/qa%2Fcapitals%20of%20{style}/runs"
        (run,) = http.get(path).json()["data"]
        assert (run["id"], run["name"]) == (ran["experiment"], "first/guess")
        whole = http.get(f"{path}/first%2Fguess").json()
        assert {item["datasetItemId"]: item["traceId"] for item in whole["datasetRunItems"]} == ran["traces"]
        assert http.delete(f"{path}/first%2Fguess").status_code == 200
        assert http.get(path).json()["data"] == []


def test_a_file_is_imported_by_the_command(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "questions.csv"
    file.write_text('id,input,expected_output\nq1,"{""country"": ""France""}",Paris\nq2,plain,\n')
    assert "2 items imported into qa/file, 0 rows refused." in stack.heliograph(
        "datasets", "import", str(file), "--name", "qa/file"
    )
    file.write_text("id,input\nq3,third\nq4,too,many\n")
    with pytest.raises(AssertionError, match="row 3: has 3 values for 2 columns\n1 items imported"):
        stack.heliograph("datasets", "import", str(file), "--name", "qa/file")
    with client(stack) as http:
        found = http.get("/dataset-items", params={"datasetName": "qa/file"}).json()["data"]
    assert [(item["id"], item["input"], item["expectedOutput"]) for item in found] == [
        ("q1", {"country": "France"}, "Paris"),
        ("q2", "plain", None),
        ("q3", "third", None),
    ]

"""Datasets, their items and runs."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest


@pytest.mark.sample
def test_a_dataset_is_read_with_its_items(langfuse: Any, name: str) -> None:
    made = langfuse.create_dataset(name=name, description="capitals", metadata={"owner": "ada"})
    first = langfuse.create_dataset_item(
        dataset_name=name, id=f"{name}-1", input={"country": "Peru"}, expected_output="Lima", metadata={"place": 1}
    )
    langfuse.create_dataset_item(dataset_name=name, id=f"{name}-2", input="France", expected_output="Paris")

    assert (made.name, made.description, made.metadata) == (name, "capitals", {"owner": "ada"})
    assert (first.id, first.input, first.expected_output, first.metadata) == (
        f"{name}-1", {"country": "Peru"}, "Lima", {"place": 1},
    )  # fmt: skip
    dataset = langfuse.get_dataset(name)
    assert (dataset.name, dataset.description, dataset.metadata) == (name, "capitals", {"owner": "ada"})
    assert {item.id: item.expected_output for item in dataset.items} == {f"{name}-1": "Lima", f"{name}-2": "Paris"}


def test_more_items_than_fit_a_page_are_all_read(langfuse: Any, name: str) -> None:
    langfuse.create_dataset(name=name)
    for number in range(7):
        langfuse.create_dataset_item(dataset_name=name, input=number)

    dataset = langfuse.get_dataset(name, fetch_items_page_size=3)

    assert sorted(item.input for item in dataset.items) == list(range(7))


def test_a_name_with_a_slash_is_one_name(langfuse: Any, name: str) -> None:
    langfuse.create_dataset(name=f"{name}/a b")
    langfuse.create_dataset_item(dataset_name=f"{name}/a b", input=1)

    assert [item.input for item in langfuse.get_dataset(f"{name}/a b").items] == [1]


@pytest.mark.majors(3, 5)
def test_items_are_held_to_the_schema(langfuse: Any, name: str) -> None:
    schema = {"type": "object", "required": ["country"]}
    dataset = langfuse.create_dataset(name=name, input_schema=schema, expected_output_schema={"type": "string"})

    assert (dataset.input_schema, dataset.expected_output_schema) == (schema, {"type": "string"})
    with pytest.raises(Exception, match="country"):
        langfuse.create_dataset_item(dataset_name=name, input={}, expected_output="x")


@pytest.mark.majors(3, 5)
def test_a_dataset_is_read_as_it_was(langfuse: Any, name: str) -> None:
    langfuse.create_dataset(name=name)
    langfuse.create_dataset_item(dataset_name=name, id=f"{name}-1", input="old")
    before = datetime.now(UTC)
    langfuse.create_dataset_item(dataset_name=name, id=f"{name}-1", input="new")

    assert [item.input for item in langfuse.get_dataset(name).items] == ["new"]
    assert [item.input for item in langfuse.get_dataset(name, version=before).items] == ["old"]


def test_what_is_not_named_stays_when_an_item_is_sent_again(langfuse: Any, api: Any, name: str) -> None:
    langfuse.create_dataset(name=name)
    langfuse.create_dataset_item(dataset_name=name, id=f"{name}-1", input=1, expected_output=2, metadata={"k": "v"})

    langfuse.create_dataset_item(dataset_name=name, id=f"{name}-1", status="ARCHIVED")

    (item,) = api("dataset_items.list", dataset_name=name).data
    assert (item.status, item.input, item.expected_output, item.metadata) == ("ARCHIVED", 1, 2, {"k": "v"})


def test_datasets_are_created_read_and_listed(api: Any, name: str, project_id: str) -> None:
    made = api("datasets.create", name=name, description="d", metadata={"k": 1})
    assert (made.name, made.description, made.metadata, made.project_id) == (name, "d", {"k": 1}, project_id)

    assert api("datasets.get", dataset_name=name).id == made.id
    page = api("datasets.list", limit=100)
    assert made.id in [each.id for each in page.data]
    assert page.meta.total_items >= 1


def test_items_are_created_read_listed_and_deleted(api: Any, name: str) -> None:
    dataset = api("datasets.create", name=name)
    item = api(
        "dataset_items.create", dataset_name=name, input={"a": 1}, expected_output=[2], metadata={"m": 1},
        source_trace_id=f"t-{name}", source_observation_id=f"o-{name}",
    )  # fmt: skip

    assert (item.dataset_id, item.dataset_name, item.status) == (dataset.id, name, "ACTIVE")
    read = api("dataset_items.get", id=item.id)
    assert (read.input, read.expected_output, read.metadata) == ({"a": 1}, [2], {"m": 1})
    assert (read.source_trace_id, read.source_observation_id) == (f"t-{name}", f"o-{name}")
    listed = api("dataset_items.list", dataset_name=name)
    assert ([each.id for each in listed.data], listed.meta.total_pages) == ([item.id], 1)
    assert api("dataset_items.list", source_trace_id=f"t-{name}").meta.total_items == 1

    assert api("dataset_items.delete", id=item.id).message
    assert api("dataset_items.list", dataset_name=name).data == []


@pytest.mark.needs("dataset_run_items.create")
def test_runs_are_linked_read_listed_and_deleted(api: Any, name: str) -> None:
    dataset = api("datasets.create", name=name)
    item = api("dataset_items.create", dataset_name=name, input=1)
    linked = api(
        "dataset_run_items.create", run_name="first", run_description="told", metadata={"model": "m"},
        dataset_item_id=item.id, trace_id=f"trace-{name}",
    )  # fmt: skip

    assert (linked.dataset_run_name, linked.dataset_item_id, linked.trace_id) == ("first", item.id, f"trace-{name}")
    run = api("datasets.get_run", dataset_name=name, run_name="first")
    assert (run.id, run.name, run.description) == (linked.dataset_run_id, "first", "told")
    assert (run.metadata, run.dataset_id) == ({"model": "m"}, dataset.id)
    assert [each.trace_id for each in run.dataset_run_items] == [f"trace-{name}"]
    runs = api("datasets.get_runs", dataset_name=name)
    assert ([each.name for each in runs.data], runs.meta.total_items) == (["first"], 1)
    if api.has("dataset_run_items.list"):
        (listed,) = api("dataset_run_items.list", dataset_id=dataset.id, run_name="first").data
        assert (listed.id, listed.dataset_run_id) == (linked.id, run.id)

    assert api("datasets.delete_run", dataset_name=name, run_name="first").message
    assert api("datasets.get_runs", dataset_name=name).data == []


@pytest.mark.majors(3)
def test_an_item_runs_within_its_run(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    langfuse.create_dataset(name=name)
    langfuse.create_dataset_item(dataset_name=name, input="Peru")
    for item in langfuse.get_dataset(name).items:
        with item.run(run_name="third", run_metadata={"k": 1}, run_description="by hand") as span:
            span.update(output="Lima")
            span.score_trace(name="exact", value=1)
    langfuse.flush()

    (ran,) = eventually(lambda: langfuse.get_dataset_run(dataset_name=name, run_name="third").dataset_run_items)
    trace = eventually(lambda: api("trace.get", trace_id=ran.trace_id))
    assert trace.output == "Lima"
    assert [run.name for run in langfuse.get_dataset_runs(dataset_name=name).data] == ["third"]
    assert langfuse.delete_dataset_run(dataset_name=name, run_name="third").message
    assert langfuse.get_dataset_runs(dataset_name=name).data == []


@pytest.mark.majors(2)
def test_an_item_of_the_second_version_is_linked(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    langfuse.create_dataset(name=name)
    langfuse.create_dataset_item(dataset_name=name, id=f"{name}-1", input="Peru", expected_output="Lima")
    item = langfuse.get_dataset_item(f"{name}-1")
    assert (item.input, item.expected_output) == ("Peru", "Lima")

    trace = langfuse.trace(name="asked", input="Peru", output="Lima")
    item.link(trace, run_name="by hand", run_metadata={"k": 1}, run_description="told")
    with item.observe(run_name="observed") as trace_id:
        langfuse.score(trace_id=trace_id, name="exact", value=1)
    generation = trace.generation(name="answer")
    item.link(generation, run_name="within")
    item.flush(generation, run_name="within")

    run = langfuse.get_dataset_run(name, "by hand")
    assert (run.metadata, run.description) == ({"k": 1}, "told")
    assert [each.trace_id for each in run.dataset_run_items] == [trace.id]
    observed = langfuse.get_dataset_run(name, "observed")
    assert [each.trace_id for each in observed.dataset_run_items] == [trace_id]
    (within,) = langfuse.get_dataset_run(name, "within").dataset_run_items
    assert (within.trace_id, within.observation_id) == (trace.id, generation.id)
    assert {each.name for each in langfuse.get_dataset_runs(name).data} == {"by hand", "observed", "within"}
    dataset_id = langfuse.get_dataset(name).id
    found = current("experiments", datasetId=dataset_id, fields="core,metadata")
    assert {each["name"]: each["itemCount"] for each in found} == {"by hand": 1, "observed": 1, "within": 1}
    assert {each["name"]: each["metadata"] for each in found}["by hand"] == {"k": 1}

    def scored() -> list[Any]:
        (ran,) = current("experiment-items", experimentId=observed.id, fields="core,io,scores")
        return [ran] if ran["scores"] else []

    (ran,) = eventually(scored)
    assert (ran["traceId"], ran["experimentItemId"], ran["expectedOutput"]) == (trace_id, f"{name}-1", "Lima")
    assert [(each["name"], each["value"]) for each in ran["scores"]] == [("exact", 1.0)]


def current(route: str, **asked: str) -> list[Any]:
    """What the newest generation of the API answers, which this version's client does not know."""
    keys = os.environ["LANGFUSE_PUBLIC_KEY"], os.environ["LANGFUSE_SECRET_KEY"]
    since = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    url = f"{os.environ['LANGFUSE_HOST']}/api/public/{route}"
    return httpx.get(url, params={"fromStartTime": since, **asked}, auth=keys).raise_for_status().json()["data"]

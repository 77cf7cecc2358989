"""Experiments over datasets, and evaluations of what is stored."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from generated import MAJOR
from reading import observations, scores

if MAJOR >= 3:
    from langfuse import Evaluation, EvaluatorInputs

pytestmark = pytest.mark.majors(3, 5)
CAPITALS = {"Peru": "Lima", "France": "Paris", "Chad": "N'Djamena"}


def answered(*, item: Any, **_: Any) -> str:
    asked = item["input"] if isinstance(item, dict) else item.input
    return "Lima" if asked == "Peru" else "?"


def exact(*, output: Any, expected_output: Any, **_: Any) -> Any:
    return Evaluation(name="exact", value=float(output == expected_output), comment="compared")


def mean(*, item_results: Any, **_: Any) -> Any:
    values = [each.evaluations[0].value for each in item_results]
    return Evaluation(name="mean", value=round(sum(values) / len(values), 3))


def capitals(langfuse: Any, name: str) -> None:
    langfuse.create_dataset(name=name)
    for country, capital in CAPITALS.items():
        langfuse.create_dataset_item(dataset_name=name, input=country, expected_output=capital)


def test_an_experiment_over_a_dataset_has_its_items_and_scores(
    langfuse: Any, name: str, *, api: Any, eventually: Any
) -> None:
    capitals(langfuse, name)
    began = datetime.now(UTC) - timedelta(minutes=1)

    result = langfuse.get_dataset(name).run_experiment(
        name="capitals", run_name=f"run-{name}", description="how many", task=answered, evaluators=[exact],
        run_evaluators=[mean], metadata={"model": "m"},
    )  # fmt: skip
    langfuse.flush()

    assert sorted(each.output for each in result.item_results) == ["?", "?", "Lima"]
    assert [(each.name, each.value) for each in result.run_evaluations] == [("mean", 0.333)]
    assert result.format()
    if api.has("datasets.get_run"):
        run = eventually(lambda: whole(api("datasets.get_run", dataset_name=name, run_name=f"run-{name}"), 3))
        assert {each.trace_id for each in run.dataset_run_items} == {each.trace_id for each in result.item_results}
        assert run.id == result.dataset_run_id
        (score,) = eventually(lambda: api("score_v_2.get", dataset_run_id=run.id).data)
        assert (score.name, score.value) == ("mean", 0.333)
    else:
        (found,) = eventually(lambda: finished(api, began, f"run-{name}"))
        assert (found.id, found.item_count, found.dataset_id) == (
            result.dataset_run_id,
            3,
            api("datasets.get", dataset_name=name).id,
        )
        (score,) = eventually(lambda: api("scores.get_many", experiment_id=found.id, fields="core,subject").data)
        assert (score.name, score.value, score.subject.kind) == ("mean", 0.333, "experiment")


def whole(run: Any, count: int) -> Any:
    return run if len(run.dataset_run_items) == count else None


def finished(api: Any, began: datetime, run_name: str) -> list[Any]:
    found = api("experiments.list", from_start_time=began, name=run_name, fields="core,metadata,scores").data
    return found if found and found[0].item_count == 3 else []


@pytest.mark.needs("experiments.list_items")
def test_items_of_an_experiment_are_walked(langfuse: Any, name: str, *, api: Any, eventually: Any) -> None:
    capitals(langfuse, name)
    began = datetime.now(UTC) - timedelta(minutes=1)
    langfuse.get_dataset(name).run_experiment(name="c", run_name=f"run-{name}", task=answered, evaluators=[exact])
    langfuse.flush()
    (experiment,) = eventually(lambda: finished(api, began, f"run-{name}"))

    walked, cursor = [], None
    while True:
        page = api(
            "experiments.list_items", from_start_time=began, experiment_id=experiment.id, limit=2, cursor=cursor,
            fields="core,dataset,io,scores",
        )  # fmt: skip
        walked += page.data
        cursor = page.meta.cursor
        if cursor is None:
            break

    assert len({each.id for each in walked}) == len(walked) == 3
    assert {each.experiment_name for each in walked} == {f"run-{name}"}
    assert sorted(each.output.strip('"') for each in walked) == ["?", "?", "Lima"]


def test_an_experiment_over_local_data_leaves_traces(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    async def task(*, item: Any, **_: Any) -> str:
        return answered(item=item)

    data = [{"input": country, "expected_output": capital} for country, capital in CAPITALS.items()]
    result = langfuse.run_experiment(name=name, data=data, task=task, evaluators=[exact], max_concurrency=2)
    langfuse.flush()

    assert sorted(each.evaluations[0].value for each in result.item_results) == [0.0, 0.0, 1.0]
    first = next(each for each in result.item_results if each.output == "Lima")
    found = eventually(lambda: observations(api, first.trace_id, 1))
    assert "experiment-item-run" in found
    score = eventually(lambda: scores(api, first.trace_id, 1))["exact"]
    assert (score.value, score.comment) == (1.0, "compared")


def test_what_is_stored_is_evaluated_in_batches(langfuse: Any, api: Any, name: str, eventually: Any) -> None:
    trace_ids = []
    for number in range(5):
        span = langfuse.start_observation(name=name, input=number, output=number * 2)
        span.end()
        trace_ids.append(span.trace_id)
    langfuse.flush()
    for trace_id in trace_ids:
        eventually(lambda trace_id=trace_id: observations(api, trace_id, 1))

    def mapper(*, item: Any) -> Any:
        return EvaluatorInputs(input=item.input, output=item.output, expected_output=None, metadata={})

    def doubled(*, output: Any, **given: Any) -> Any:
        return Evaluation(name="doubled", value=float(int(output) == 2 * int(given["input"])))

    column = [{"type": "string", "column": "name", "operator": "=", "value": name}]
    scope = {"scope": "observations"} if MAJOR == 3 else {}
    result = langfuse.run_batched_evaluation(
        mapper=mapper, evaluators=[doubled], filter=json.dumps(column), fetch_batch_size=2, max_concurrency=2, **scope
    )
    langfuse.flush()

    assert (result.total_items_processed, result.total_scores_created) == (5, 5)
    for trace_id in trace_ids:
        assert eventually(lambda trace_id=trace_id: scores(api, trace_id, 1))["doubled"].value == 1.0

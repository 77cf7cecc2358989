"""Every list that is read in parts, and how its things come about."""

import uuid
from datetime import timedelta
from typing import Any

from heliograph.domain.evaluation_jobs import NewJob, Target
from heliograph.domain.evaluation_rules import RuleTarget
from storage.postgres.evaluation_jobs import EvaluationJobs
from storage.postgres.tables.evaluation_runs import EvaluationFailureRow
from tests.factories import NOON
from tests.integration.api.walks.walking import List, World

MINUTE = timedelta(minutes=1)
_UNTIL = (NOON + 30 * MINUTE).isoformat()
_EARLY = "2026-01-01T00:00:00Z"
_JUDGE = {"type": "llm_as_judge", "prompt": "Is {{output}} right?", "outputDefinition": {"dataType": "BOOLEAN"}}


async def trace(world: World, n: int) -> None:
    stored = world.api.stored
    stored.insert("traces", stored.trace(f"t{n}", timestamp=NOON + n * MINUTE, session_id=f"s{n}"))


async def day(world: World, n: int) -> None:
    stored = world.api.stored
    stored.insert("traces", stored.trace(f"t{n}", timestamp=NOON + timedelta(days=n)))


async def observation(world: World, n: int) -> None:
    stored = world.api.stored
    # Several of one moment.
    stored.insert("observations", stored.observation("t", f"o{n}", start_time=NOON + n // 3 * MINUTE))


async def score(world: World, n: int) -> None:
    stored = world.api.stored
    stored.insert("scores", stored.score(f"c{n}", trace_id="t", timestamp=NOON + n // 3 * MINUTE))


async def experiment(world: World, n: int) -> None:
    _ran(world, f"e{n}", n)


async def experiment_item(world: World, n: int) -> None:
    _ran(world, "e", n)


def _ran(world: World, experiment_id: str, n: int) -> None:
    told = {"id": experiment_id, "name": experiment_id, "item.id": f"i{n}", "item.root_observation_id": f"o{n}"}
    metadata = [(f"langfuse.experiment.{name}", text) for name, text in told.items()]
    at, stored = NOON + n // 2 * MINUTE, world.api.stored
    stored.insert("observations", stored.observation(f"t{n}", f"o{n}", start_time=at, metadata=metadata))


async def experiment_of_either(world: World, n: int) -> None:
    """Every other one is reported item by item."""
    if n % 2:
        at = (NOON + n // 2 * MINUTE).isoformat()
        await world.put("/dataset-run-items", _reported(world, f"run {n}", f"t{n}") | {"createdAt": at})
    else:
        await experiment(world, n)


async def dataset(world: World, n: int) -> None:
    await world.put("/v2/datasets", {"name": f"set {n}"})


async def one_dataset(world: World) -> None:
    """A dataset with an item."""
    name = world.ids["name"] = f"set-{uuid.uuid4().hex}"
    world.ids["dataset_id"] = (await world.put("/v2/datasets", {"name": name}))["id"]
    world.ids["item_id"] = (await world.put("/dataset-items", {"datasetName": name, "input": "of the runs"}))["id"]


async def item(world: World, n: int) -> None:
    await world.put("/dataset-items", {"datasetName": world.ids["name"], "id": f"{world.ids['name']}-{n}", "input": n})


async def run(world: World, n: int) -> None:
    await world.put("/dataset-run-items", _reported(world, f"run {n}", "t"))


async def run_item(world: World, n: int) -> None:
    await world.put("/dataset-run-items", _reported(world, "run", f"t{n}"))


def _reported(world: World, name: str, trace_id: str) -> dict[str, Any]:
    return {"runName": name, "datasetItemId": world.ids["item_id"], "traceId": trace_id}


async def prompt(world: World, n: int) -> None:
    await world.put("/v2/prompts", {"name": f"p{500 + n}", "prompt": "hello"})


async def score_config(world: World, n: int) -> None:
    await world.put("/score-configs", {"name": f"config {n}", "dataType": "NUMERIC"})


async def queue(world: World, n: int) -> None:
    config = await world.put("/score-configs", {"name": f"of queue {n}", "dataType": "NUMERIC"})
    made = await world.put("/annotation-queues", {"name": f"queue {n}", "scoreConfigIds": [config["id"]]})
    world.ids["queue_id"] = made["id"]


async def one_queue(world: World) -> None:
    await queue(world, 0)


async def queue_item(world: World, n: int) -> None:
    path = f"/annotation-queues/{world.ids['queue_id']}/items"
    await world.put(path, {"objectId": f"t{n}", "objectType": "TRACE"})


async def one_trace(world: World) -> None:
    await trace(world, 0)


async def comment(world: World, n: int) -> None:
    about = {"projectId": world.api.project.id, "objectType": "TRACE", "objectId": "t0"}
    await world.put("/comments", about | {"content": f"comment {n}"})


async def model(world: World, n: int) -> None:
    body = {"modelName": f"model {n}", "matchPattern": f"^m{n}$", "unit": "TOKENS", "inputPrice": 1}
    await world.put("/models", body)


async def connection(world: World, n: int) -> None:
    body = {"provider": f"provider {n}", "adapter": "openai", "secretKey": "sk-secret"}
    await world.put("/llm-connections", body, "PUT")


async def widget(world: World, n: int) -> None:
    drawn = {"view": "observations", "chartType": "NUMBER", "metrics": [{"measure": "count", "agg": "count"}]}
    await world.put("/unstable/dashboard-widgets", {"name": f"widget {n}", "description": "d", **drawn})


async def dashboard(world: World, n: int) -> None:
    await world.put("/unstable/dashboards", {"name": f"board {n}", "description": "d"})


async def evaluator(world: World, n: int) -> None:
    made = await world.put("/v2/evaluators", {"name": f"judge {n}", **_JUDGE})
    world.ids["evaluator_id"] = made["id"]


async def one_evaluator(world: World) -> None:
    await evaluator(world, 0)


async def evaluator_version(world: World, n: int) -> None:
    path = f"/v2/evaluators/{world.ids['evaluator_id']}"
    await world.put(path, _JUDGE | {"prompt": f"Is {{{{output}}}} right for {n}?"}, "PATCH")


async def rule(world: World, n: int) -> None:
    assigned = {
        "evaluatorId": world.ids["evaluator_id"],
        "variableMapping": [{"variable": "output", "source": "output"}],
    }
    body = {"name": f"rule {n}", "enabled": False, "evaluatorAssignments": [assigned]}
    world.ids["rule_id"] = (await world.put("/v2/evaluation-rules", body))["id"]


async def one_rule(world: World) -> None:
    await one_evaluator(world)
    await rule(world, 0)


async def execution(world: World, n: int) -> None:
    job = NewJob(
        project_id=world.api.project.id,
        rule_id=world.ids["rule_id"],
        evaluator_id=world.ids["evaluator_id"],
        evaluator_version="v1",
        target=Target(RuleTarget.OBSERVATION, f"o{n}", "t", 1),
        delay=timedelta(0),
    )
    await EvaluationJobs(world.api.database).add([job])


async def evaluation_run(world: World, n: int) -> None:
    told = {"name": "score", "place": "client", "version": "v1", "columns": ["output"]}
    made = await world.put("/evaluation-runs", {"name": f"run {n}", "evaluators": [told]})
    world.ids["run_id"] = made["id"]


async def one_evaluation_run(world: World) -> None:
    await evaluation_run(world, 0)


async def failure(world: World, n: int) -> None:
    failed = {"evaluator": "score", "trace_id": "t", "observation_id": f"o{500 + n}", "cause": "Any", "reason": "why"}
    async with world.api.database.transaction() as session:
        session.add(EvaluationFailureRow(run_id=world.ids["run_id"], place="client", part=0, **failed))


async def member(world: World, n: int) -> None:
    address = f"{uuid.uuid4().hex}-{n}@example.org"
    await world.put("/scim/Users", {"userName": address, "name": {"formatted": "Ada"}}, of="organization")


_SINCE: dict[str, Any] = {"fromStartTime": _EARLY}
_OF_DATASET = {"datasetName": "{name}"}
_OF_RUN = {"datasetId": "{dataset_id}", "runName": "run"}
# What arrives comes first in most lists, and moves what follows to later pages: nothing is left out, some comes again.
# Lists from the oldest, bounded ones, and whatever has a cursor show everything once.
LISTS = [
    List(path="/traces", add=trace, is_put=True),
    List(path="/traces", add=trace, is_put=True, is_once=True, params={"toTimestamp": _UNTIL}),
    List(path="/observations", add=observation, is_put=True),
    List(path="/observations", add=observation, is_put=True, is_once=True, params={"toStartTime": _UNTIL}),
    List(path="/v2/observations", add=observation, is_put=True, is_once=True),
    List(path="/sessions", add=trace, is_put=True),
    List(path="/sessions", add=trace, is_put=True, is_once=True, params={"toTimestamp": _UNTIL}),
    List(path="/scores", add=score, is_put=True),
    List(path="/v2/scores", add=score, is_put=True),
    List(path="/v2/scores", add=score, is_put=True, is_once=True, params={"toTimestamp": _UNTIL}),
    List(path="/v3/scores", add=score, is_put=True, is_once=True),
    List(path="/metrics/daily", add=day, is_put=True, name="date"),
    List(path="/experiments", add=experiment, is_put=True, is_once=True, params=_SINCE),
    List(path="/experiment-items", add=experiment_item, is_put=True, is_once=True, params=_SINCE),
    List(path="/experiments", add=experiment_of_either, is_put=True, is_once=True, prepare=one_dataset, params=_SINCE),
    List(
        path="/experiment-items",
        add=experiment_of_either,
        is_put=True,
        is_once=True,
        prepare=one_dataset,
        params=_SINCE,
        name="traceId",
    ),
    List(path="/v2/datasets", add=dataset, is_put=True, is_once=True),
    List(path="/datasets", add=dataset, is_put=True, is_once=True),
    List(path="/dataset-items", add=item, is_put=True, is_once=True, prepare=one_dataset, params=_OF_DATASET),
    List(path="/datasets/{name}/runs", add=run, is_put=True, is_once=True, prepare=one_dataset),
    List(path="/dataset-run-items", add=run_item, is_put=True, is_once=True, prepare=one_dataset, params=_OF_RUN),
    List(path="/v2/prompts", add=prompt, is_put=True, name="name"),
    List(path="/score-configs", add=score_config),
    List(path="/annotation-queues", add=queue),
    List(path="/annotation-queues/{queue_id}/items", add=queue_item, prepare=one_queue),
    List(path="/comments", add=comment, prepare=one_trace),
    # A project's own come before those that every project has.
    List(path="/models", add=model, limit=50),
    List(path="/llm-connections", add=connection, is_put=True, is_once=True),
    List(path="/unstable/dashboard-widgets", add=widget),
    List(path="/unstable/dashboards", add=dashboard),
    List(path="/unstable/evaluators", add=evaluator),
    List(path="/v2/evaluators", add=evaluator, is_once=True),
    List(path="/v2/evaluators/{evaluator_id}/versions", add=evaluator_version, is_once=True, prepare=one_evaluator),
    List(path="/unstable/evaluation-rules", add=rule, prepare=one_evaluator),
    List(path="/v2/evaluation-rules", add=rule, is_once=True, prepare=one_evaluator),
    List(path="/unstable/evaluation-rules/{rule_id}/executions", add=execution, prepare=one_rule),
    List(path="/evaluation-runs", add=evaluation_run),
    List(path="/evaluation-runs/{run_id}/failures", add=failure, prepare=one_evaluation_run, name="observation_id"),
    List(path="/scim/Users", add=member, is_once=True, of="organization"),
]

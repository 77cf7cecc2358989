"""Evaluation rules: kept as the contract says, and refused with a code and the field where they could not run."""

from datetime import timedelta
from typing import Any

import pytest

from heliograph.domain.evaluation_jobs import NewJob, Target
from heliograph.domain.evaluation_rules import RuleTarget
from storage.postgres.evaluation_jobs import EvaluationJobs
from storage.postgres.evaluation_rules import AllEvaluationRules
from tests.integration.api.conftest import Api
from tests.integration.api.test_evaluators import CODE, JUDGE, save

PATH = "/unstable/evaluation-rules"
MAPPING = [{"variable": "input", "source": "input"}, {"variable": "output", "source": "output", "jsonPath": "$.text"}]
RULE: dict[str, Any] = {
    "name": "live",
    "evaluator": {"name": "correctness", "scope": "project", "type": "llm_as_judge"},
    "target": "observation",
    "enabled": False,
    "sampling": 0.25,
    "filter": [
        {"type": "stringOptions", "column": "type", "operator": "any of", "value": ["GENERATION"]},
        {"type": "null", "column": "parentObservationId", "operator": "is null", "value": ""},
        {"type": "stringObject", "column": "metadata", "key": "tier", "operator": "=", "value": "gold"},
    ],
    "mapping": MAPPING,
}
OF_CODE = {key: value for key, value in RULE.items() if key != "mapping"} | {
    "evaluator": {"name": "exact", "type": "code"}
}


async def create(api: Api, body: dict[str, Any] = RULE, **changes: Any) -> dict[str, Any]:
    answer = await api.client.post(PATH, json=body | changes)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def connect(api: Api) -> None:
    body = {"provider": "openai", "adapter": "openai", "secretKey": "sk-very-secret-key"}
    assert (await api.client.put("/llm-connections", json=body)).status_code in {200, 201}


async def test_a_rule_is_answered_as_it_was_sent(api: Api) -> None:
    evaluator = await save(api, JUDGE)
    made = await create(api)
    assert {key: made[key] for key in ("name", "target", "enabled", "sampling", "filter", "mapping")} == {
        key: RULE[key] for key in ("name", "target", "enabled", "sampling", "filter", "mapping")
    }
    assert made["evaluator"] == {
        "id": evaluator["id"], "name": "correctness", "scope": "project", "type": "llm_as_judge",
    }  # fmt: skip
    assert (made["status"], made["pausedReason"], made["delay"], made["timeScope"]) == ("inactive", None, 0, ["NEW"])
    assert (await api.client.get(f"{PATH}/{made['id']}")).json() == made
    assert (await api.client.get(PATH)).json()["data"] == [made]
    assert (await api.client.get(f"/unstable/evaluators/{evaluator['id']}")).json()["evaluationRuleCount"] == 1


async def test_a_rule_has_several_evaluators_and_code_is_given_everything(api: Api) -> None:
    await save(api, JUDGE)
    await save(api, CODE)
    several = [{"name": "exact"}, {"name": "correctness", "mapping": MAPPING}]
    made = await create(
        api, {key: value for key, value in RULE.items() if key not in {"evaluator", "mapping"}}, evaluators=several
    )
    assert [one["name"] for one in made["evaluators"]] == ["exact", "correctness"]
    assert {"variable": "toolCalls", "source": "tool_calls"} in made["mapping"]
    changed = await api.client.patch(f"{PATH}/{made['id']}", json={"evaluators": [{"name": "correctness"}]})
    assert changed.json()["mapping"] == MAPPING


async def test_what_is_not_named_stays(api: Api) -> None:
    await save(api, JUDGE)
    made = await create(api)
    changed = await api.client.patch(f"{PATH}/{made['id']}", json={"sampling": 1, "name": "renamed"})
    assert changed.json() == made | {"sampling": 1.0, "name": "renamed", "updatedAt": changed.json()["updatedAt"]}
    nothing = await api.client.patch(f"{PATH}/{made['id']}", json={})
    assert (nothing.status_code, nothing.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("changes", "code", "details"),
    [
        ({"filter": [RULE["filter"][0] | {"column": "colour"}]}, "invalid_filter_value", {"column": "colour"}),
        ({"filter": [RULE["filter"][0] | {"value": ["SPELL"]}]}, "invalid_filter_value", {"invalidValues": ["SPELL"]}),
        (
            {"filter": [{"type": "string", "column": "type", "operator": "=", "value": "SPAN"}]},
            "invalid_filter_value",
            {"allowedValues": ["stringOptions"]},
        ),
        ({"mapping": MAPPING[:1]}, "missing_variable_mapping", {"variables": ["output"]}),
        ({"mapping": [*MAPPING, MAPPING[0]]}, "duplicate_variable_mapping", {"variable": "input"}),
        ({"mapping": [*MAPPING, {"variable": "x", "source": "input"}]}, "invalid_variable_mapping", {"variable": "x"}),
        (
            {"mapping": [MAPPING[0], {"variable": "output", "source": "expected_output"}]},
            "invalid_variable_mapping",
            {"variable": "output"},
        ),
        ({"mapping": [MAPPING[0], MAPPING[1] | {"jsonPath": "$..["}]}, "invalid_json_path", {"variable": "output"}),
        ({"sampling": 0}, "invalid_body", {"field": "sampling"}),
        ({"target": "galaxy"}, "invalid_body", {"field": "target"}),
        ({"timeScope": ["OLD"]}, "invalid_body", {"field": "timeScope.0"}),
        ({"evaluator": None}, "invalid_body", {"field": "evaluator"}),
    ],
)
async def test_a_rule_that_could_not_run_is_refused(
    api: Api, changes: dict[str, Any], code: str, details: dict[str, Any]
) -> None:
    await save(api, JUDGE)
    refused = await api.client.post(PATH, json=RULE | changes)
    assert (refused.status_code, refused.json()["code"]) == (400, code), refused.text
    assert details.items() <= refused.json()["details"].items()


async def test_code_takes_no_mapping(api: Api) -> None:
    await save(api, CODE)
    refused = await api.client.post(PATH, json=OF_CODE | {"mapping": MAPPING})
    assert (refused.status_code, refused.json()["details"]["field"]) == (400, "mapping")


async def test_experiments_have_an_expected_output_and_datasets_that_exist(api: Api) -> None:
    await save(api, JUDGE)
    dataset = (await api.client.post("/v2/datasets", json={"name": "questions"})).json()
    condition = {"type": "stringOptions", "column": "datasetId", "operator": "any of", "value": [dataset["id"]]}
    mapping = [MAPPING[0], {"variable": "output", "source": "expected_output"}]
    made = await create(api, target="experiment", filter=[condition], mapping=mapping)
    assert made["filter"] == [condition]
    refused = await api.client.patch(f"{PATH}/{made['id']}", json={"filter": [condition | {"value": ["questions"]}]})
    assert refused.json()["details"] == {"column": "datasetId", "invalidValues": ["questions"]}


async def test_an_enabled_rule_needs_a_model_that_can_be_asked(api: Api) -> None:
    await save(api, JUDGE)
    refused = await api.client.post(PATH, json=RULE | {"enabled": True})
    assert (refused.status_code, refused.json()["code"]) == (422, "evaluator_preflight_failed")
    assert refused.json()["details"]["provider"] == "openai"
    await connect(api)
    assert (await create(api, enabled=True))["status"] == "active"


async def test_a_paused_rule_tells_why_and_is_resumed_by_enabling_it(api: Api) -> None:
    await save(api, CODE)
    made = await create(api, OF_CODE, enabled=True)
    await AllEvaluationRules(api.database).block(made["id"], "EVALUATOR_FAILS", "It raised ValueError ten times.")
    paused = (await api.client.get(f"{PATH}/{made['id']}")).json()
    assert (paused["enabled"], paused["status"]) == (True, "paused")
    assert (paused["pausedReason"], paused["pausedMessage"]) == ("EVALUATOR_FAILS", "It raised ValueError ten times.")
    renamed = await api.client.patch(f"{PATH}/{made['id']}", json={"name": "renamed"})
    assert renamed.json()["status"] == "paused"
    resumed = await api.client.patch(f"{PATH}/{made['id']}", json={"enabled": True})
    assert (resumed.json()["status"], resumed.json()["pausedReason"]) == ("active", None)


@pytest.mark.slow
async def test_names_are_taken_and_active_rules_are_counted(api: Api) -> None:
    await save(api, CODE)
    made = await create(api, OF_CODE, enabled=True)
    again = await api.client.post(PATH, json=OF_CODE)
    assert (again.status_code, again.json()["code"]) == (409, "name_conflict")
    assert made["id"] in again.json()["message"]
    for number in range(49):
        await create(api, OF_CODE, name=f"rule {number}", enabled=True)
    beyond = await api.client.post(PATH, json=OF_CODE | {"name": "one more", "enabled": True})
    assert (beyond.status_code, beyond.json()["details"]["limit"]) == (409, 50)
    assert (await api.client.patch(f"{PATH}/{made['id']}", json={"sampling": 1})).status_code == 200


async def test_a_rule_without_an_evaluator_goes_with_it(api: Api) -> None:
    evaluator = await save(api, CODE)
    made = await create(api, OF_CODE)
    await api.client.delete(f"/unstable/evaluators/{evaluator['id']}")
    assert (await api.client.get(f"{PATH}/{made['id']}")).status_code == 404


async def test_a_deleted_rule_leaves_its_evaluator(api: Api) -> None:
    evaluator = await save(api, CODE)
    made = await create(api, OF_CODE)
    gone = await api.client.delete(f"{PATH}/{made['id']}")
    assert gone.json() == {"message": "Evaluation rule successfully deleted"}
    assert (await api.client.delete(f"{PATH}/{made['id']}")).json()["code"] == "resource_not_found"
    assert (await api.client.get(f"/unstable/evaluators/{evaluator['id']}")).json()["evaluationRuleCount"] == 0


async def test_the_default_model_is_what_evaluators_without_one_ask(api: Api) -> None:
    await save(api, JUDGE, modelConfig=None)
    await connect(api)
    refused = await api.client.post(PATH, json=RULE | {"enabled": True})
    assert (refused.status_code, refused.json()["code"]) == (422, "evaluator_preflight_failed")
    model = {"provider": "openai", "model": "gpt-4o-mini"}
    assert (await api.client.put("/unstable/evaluation-model", json=model)).json() == {"modelConfig": model}
    assert (await api.client.get("/unstable/evaluation-model")).json() == {"modelConfig": model}
    assert (await create(api, enabled=True))["status"] == "active"
    await api.client.delete("/unstable/evaluation-model")
    assert (await api.client.get("/unstable/evaluation-model")).json() == {"modelConfig": None}


async def test_executions_tell_what_came_of_a_rule_and_failed_ones_are_retried(api: Api) -> None:
    evaluator = await save(api, CODE)
    made = await create(api, OF_CODE, enabled=True)
    jobs = EvaluationJobs(api.database)
    job = NewJob(
        project_id=api.project.id,
        rule_id=made["id"],
        evaluator_id=evaluator["id"],
        evaluator_version="v",
        target=Target(RuleTarget.OBSERVATION, "o", "t", 1),
        delay=timedelta(0),
    )
    assert (await jobs.add([job]), await jobs.add([job])) == (1, 0)
    await jobs.fail(job.id, "CodeFailed", "The code failed with ValueError: no")
    path = f"{PATH}/{made['id']}/executions"
    (failed,) = (await api.client.get(path, params={"status": "ERROR"})).json()["data"]
    assert (failed["observationId"], failed["cause"], failed["error"]) == (
        "o", "CodeFailed", "The code failed with ValueError: no",
    )  # fmt: skip
    assert (await api.client.post(f"{path}/retry")).json() == {"retried": 1}
    assert (await api.client.get(path)).json()["data"][0]["status"] == "PENDING"
    assert (await api.client.get(f"{PATH}/nothing/executions")).status_code == 404


async def test_a_rule_about_what_is_stored_names_the_run_that_evaluates_it(api: Api) -> None:
    await save(api, CODE)
    waiting = await create(api, OF_CODE, timeScope=["NEW", "EXISTING"])
    assert (waiting["timeScope"], waiting["backfillRunId"]) == (["NEW", "EXISTING"], None)
    enabled = (await api.client.patch(f"{PATH}/{waiting['id']}", json={"enabled": True})).json()
    run = (await api.client.get(f"/evaluation-runs/{enabled['backfillRunId']}")).json()
    assert (run["name"], run["state"], run["selection"]["sample"]) == ("Backfill of live", "running", 0.25)
    assert [(one["name"], one["rule"]["rule_id"]) for one in run["evaluators"]] == [("exact", enabled["id"])]
    renamed = (await api.client.patch(f"{PATH}/{waiting['id']}", json={"name": "renamed"})).json()
    assert renamed["backfillRunId"] == enabled["backfillRunId"]
    again = (await api.client.patch(f"{PATH}/{waiting['id']}", json={"timeScope": ["EXISTING"]})).json()
    assert again["backfillRunId"] not in {None, enabled["backfillRunId"]}
    assert not [one for one in await AllEvaluationRules(api.database).active() if one.id == waiting["id"]]


async def test_what_a_judge_without_a_price_would_cost_is_refused_for_what_is_stored(api: Api) -> None:
    await connect(api)
    await save(api, JUDGE | {"modelConfig": {"provider": "openai", "model": "nobody-prices-this"}})
    refused = await api.client.post(PATH, json=RULE | {"enabled": True, "timeScope": ["NEW", "EXISTING"]})
    assert (refused.status_code, refused.json()["details"]) == (400, {"field": "timeScope"}), refused.text
    assert (await api.client.get(PATH)).json()["data"] == []
    await save(api, JUDGE)
    made = await create(api, enabled=True, timeScope=["EXISTING"], budgetUsd=2.5)
    run = (await api.client.get(f"/evaluation-runs/{made['backfillRunId']}")).json()
    assert (made["budgetUsd"], run["budget_usd"]) == (2.5, 2.5)


async def test_nobody_but_a_rule_has_its_evaluators_run(api: Api) -> None:
    await save(api, CODE)
    made = await create(api, OF_CODE, enabled=True, timeScope=["EXISTING"])
    run = (await api.client.get(f"/evaluation-runs/{made['backfillRunId']}")).json()
    refused = await api.client.post("/evaluation-runs", json={"evaluators": run["evaluators"]})
    assert (refused.status_code, "timeScope" in refused.text) == (400, True)

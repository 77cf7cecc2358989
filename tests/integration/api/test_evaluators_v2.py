"""Evaluators and rules in their second generation: by ids, walked by cursors, refused where a part is not kept."""

from typing import Any

import pytest
from langfuse.api import EvaluationRule as SdkRule
from langfuse.api.core.pydantic_utilities import parse_obj_as
from langfuse.api.evaluators import Evaluator_LlmAsJudge, EvaluatorVersionsPage

from tests.integration.api.conftest import Api

JUDGE: dict[str, Any] = {
    "name": "correctness",
    "type": "llm_as_judge",
    "prompt": [{"role": "user", "content": "Is {{output}} right for {{input}}?"}],
    "outputDefinition": {"dataType": "NUMERIC", "minValue": 0, "maxValue": 1, "scoreReasoningInstructions": "why"},
}
CODE: dict[str, Any] = {"name": "exact", "type": "code", "sourceCode": "x = 1", "sourceCodeLanguage": "PYTHON"}
MAPPING = [{"variable": "input", "source": "input"}, {"variable": "output", "source": "output", "jsonPath": "$.text"}]


async def ask(api: Api, method: str, path: str, body: Any = None, *, status: int = 200, **params: Any) -> Any:
    got = await api.client.request(method, f"/v2/{path}", json=body, params=params)
    assert got.status_code == status, got.text
    return got.json()


async def walk(api: Api, path: str) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        page = await ask(api, "GET", path, limit=2, cursor=cursor)
        found += page["data"]
        cursor = page["meta"].get("cursor", "")
        if not cursor:
            return found


async def test_an_evaluator_is_answered_as_it_was_sent(api: Api) -> None:
    made = await ask(api, "POST", "evaluators", JUDGE)

    assert {name: made[name] for name in ("name", "type", "prompt")} == {
        name: JUDGE[name] for name in ("name", "type", "prompt")
    }
    assert made["outputDefinition"] == JUDGE["outputDefinition"] | {
        "minValue": 0.0, "maxValue": 1.0, "scoreValueInstructions": None,
    }  # fmt: skip
    assert (made["version"], made["variables"], made["status"]) == (1, ["output", "input"], "active")
    assert await ask(api, "GET", f"evaluators/{made['id']}") == made
    assert parse_obj_as(Evaluator_LlmAsJudge, made).id == made["id"]
    text = await ask(api, "POST", "evaluators", JUDGE | {"name": "text", "prompt": "Is {{output}} right?"})
    assert text["prompt"] == [{"role": "user", "content": "Is {{output}} right?"}]


async def test_a_definition_is_the_next_version_and_a_name_alone_is_none(api: Api) -> None:
    made = await ask(api, "POST", "evaluators", CODE)
    at = f"evaluators/{made['id']}"

    renamed = await ask(api, "PATCH", at, {"name": "same"})
    assert (renamed["name"], renamed["version"], renamed["sourceCode"]) == ("same", 1, "x = 1")
    for number in (2, 3):
        changed = await ask(
            api, "PATCH", at, {name: CODE[name] for name in CODE if name != "name"} | {"sourceCode": f"x = {number}"}
        )
        assert (changed["version"], changed["name"]) == (number, "same")

    versions = await walk(api, f"{at}/versions")
    assert [(one["version"], one["sourceCode"]) for one in versions] == [(3, "x = 3"), (2, "x = 2"), (1, "x = 1")]
    assert parse_obj_as(EvaluatorVersionsPage, {"data": versions, "meta": {}}).data[0].version == 3
    assert (await ask(api, "GET", at))["versionId"] == versions[0]["id"]


async def test_a_name_is_one_evaluators(api: Api) -> None:
    await ask(api, "POST", "evaluators", CODE)
    other = await ask(api, "POST", "evaluators", CODE | {"name": "other"})

    refused = await ask(api, "POST", "evaluators", CODE, status=409)
    assert refused["code"] == "conflict"
    await ask(api, "PATCH", f"evaluators/{other['id']}", {"name": "exact"}, status=409)


@pytest.mark.parametrize(
    "wrong",
    [
        {"description": "told"},
        {"variableMapping": MAPPING},
        {"prompt": [{"role": "system", "content": "x"}]},
        {"prompt": [{"role": "user", "content": "x"}, {"role": "user", "content": "y"}]},
        {"outputDefinition": {"dataType": "CATEGORICAL", "categories": ["a"]}},
        {"outputDefinition": {"dataType": "NUMERIC", "minValue": 2, "maxValue": 1}},
        {"type": "pairwise"},
    ],
)
async def test_what_is_not_kept_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    refused = await ask(api, "POST", "evaluators", JUDGE | wrong, status=400)

    assert refused["code"] == "invalid_body"
    assert next(iter(wrong)) in refused["message"] or "type" in wrong


async def test_lists_are_walked_without_a_gap_or_a_repeat_while_more_is_created(api: Api) -> None:
    for number in range(5):
        judge = await ask(api, "POST", "evaluators", CODE | {"name": f"e{number}"})
        rule = {"name": f"r{number}", "enabled": False, "evaluatorAssignments": [{"evaluatorId": judge["id"]}]}
        await ask(api, "POST", "evaluation-rules", rule)

    for path, made in (("evaluators", CODE), ("evaluation-rules", rule)):
        first = await ask(api, "GET", path, limit=2)
        await ask(api, "POST", path, made | {"name": "late"})
        rest = await ask(api, "GET", path, limit=3, cursor=first["meta"]["cursor"])
        assert [one["name"][1:] for one in first["data"] + rest["data"]] == ["4", "3", "2", "1", "0"]
        assert rest["meta"] == {}
        assert (await ask(api, "GET", path, cursor="x", status=400))["code"] == "invalid_request"


async def test_a_rule_over_items_of_experiments_says_so_in_its_filter(api: Api) -> None:
    judge = await ask(api, "POST", "evaluators", JUDGE)
    of_items = {"type": "boolean", "column": "isExperimentItemRootSpan", "operator": "=", "value": True}
    of_type = {"type": "stringOptions", "column": "type", "operator": "any of", "value": ["SPAN"]}
    mapping = [{"variable": "input", "source": "expected_output"}, {"variable": "output", "source": "output"}]
    rule = {
        "name": "items", "enabled": False, "sampling": 0.5, "filter": [of_items, of_type],
        "evaluatorAssignments": [{"evaluatorId": judge["id"], "variableMapping": mapping}],
    }  # fmt: skip

    made = await ask(api, "POST", "evaluation-rules", rule)

    assert {name: made[name] for name in rule} == rule
    assert parse_obj_as(SdkRule, made).filter[0].column == "isExperimentItemRootSpan"
    shown = (await api.client.get(f"/unstable/evaluation-rules/{made['id']}")).json()
    assert (shown["target"], shown["filter"]) == ("experiment", [of_type])
    (used,) = (await ask(api, "GET", f"evaluators/{judge['id']}"))["evaluationRuleAssignments"]
    assert used == {"evaluationRuleId": made["id"], "variableMappingOverride": mapping}
    changed = await ask(api, "PATCH", f"evaluation-rules/{made['id']}", {"sampling": 1})
    assert changed == made | {"sampling": 1.0, "updatedAt": changed["updatedAt"]}
    assert await ask(api, "DELETE", f"evaluation-rules/{made['id']}") == {"id": made["id"]}
    await ask(api, "GET", f"evaluation-rules/{made['id']}", status=404)
    assert await ask(api, "DELETE", f"evaluators/{judge['id']}") == {"id": judge["id"]}


async def test_a_variable_without_a_source_is_told_with_a_code_that_its_clients_know(api: Api) -> None:
    judge = await ask(api, "POST", "evaluators", JUDGE)
    rule = {"name": "r", "enabled": False, "evaluatorAssignments": [{"evaluatorId": judge["id"]}]}

    refused = await ask(api, "POST", "evaluation-rules", rule, status=400)

    assert (refused["code"], refused["details"]["variables"]) == ("invalid_request", ["output", "input"])

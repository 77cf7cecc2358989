"""Evaluators of projects: saved in versions, listed, deleted; refusals name what is wrong."""

from typing import Any

import pytest

from storage.postgres.audit_log import AuditLog
from tests.integration.api.conftest import ORGANIZATION_KEY, SECRET, Api

PATH = "/unstable/evaluators"
NUMERIC: dict[str, Any] = {
    "dataType": "NUMERIC",
    "reasoning": {"description": "why"},
    "score": {"description": "how right", "minValue": 0, "maxValue": 1},
}
JUDGE: dict[str, Any] = {
    "name": "correctness",
    "type": "llm_as_judge",
    "prompt": "Is {{output}} right for {{ input }}? Again: {{output}}",
    "outputDefinition": NUMERIC,
    "modelConfig": {"provider": "openai", "model": "gpt-4o-mini"},
}
CODE: dict[str, Any] = {
    "name": "exact",
    "type": "code",
    "sourceCode": "def evaluate(ctx):\n    return True\n",
    "sourceCodeLanguage": "PYTHON",
}


async def save(api: Api, body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = await api.client.post(PATH, json=body | changes)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_second_version_keeps_the_id_and_is_what_is_answered(api: Api) -> None:
    first = await save(api, JUDGE)
    assert (first["version"], first["scope"], first["variables"]) == (1, "project", ["output", "input"])
    assert first["outputDefinition"] == NUMERIC
    second = await save(api, JUDGE, prompt="Is {{answer}} right?", modelConfig=None)
    assert (second["id"], second["version"], second["variables"]) == (first["id"], 2, ["answer"])
    assert second["modelConfig"] is None
    read = await api.client.get(f"{PATH}/{first['id']}")
    assert read.json() == second | {"updatedAt": read.json()["updatedAt"]}


async def test_code_is_kept_with_the_variables_that_all_code_is_given(api: Api) -> None:
    made = await save(api, CODE)
    assert made["sourceCode"] == CODE["sourceCode"]
    assert made["variables"][:4] == ["input", "output", "metadata", "toolCalls"]
    assert "prompt" not in made


async def test_a_body_without_a_type_is_a_judge(api: Api) -> None:
    body = {key: value for key, value in JUDGE.items() if key != "type"}
    assert (await save(api, body))["type"] == "llm_as_judge"


async def test_a_name_is_of_one_type(api: Api) -> None:
    await save(api, JUDGE)
    refused = await api.client.post(PATH, json=CODE | {"name": JUDGE["name"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert refused.json()["details"]["field"] == "name"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (JUDGE | {"prompt": ""}, "prompt"),
        (JUDGE | {"outputDefinition": NUMERIC | {"score": {"description": ""}}}, "outputDefinition"),
        (
            JUDGE | {"outputDefinition": NUMERIC | {"score": {"description": "x", "minValue": 2, "maxValue": 1}}},
            "score",
        ),
        (
            JUDGE
            | {
                "outputDefinition": NUMERIC
                | {"dataType": "CATEGORICAL", "score": {"description": "x", "categories": ["a", "a"]}}
            },
            "score",
        ),
        (JUDGE | {"outputDefinition": NUMERIC | {"score": {"description": "x\0"}}}, "outputDefinition"),
        (JUDGE | {"modelConfig": {"provider": "a", "model": "b", "modelParams": {"stop": ["\0"]}}}, "model"),
        (CODE | {"sourceCodeLanguage": "TYPESCRIPT"}, "sourceCodeLanguage"),
        (CODE | {"sourceCodeLanguage": "COBOL"}, "sourceCodeLanguage"),
        (CODE | {"sourceCode": "x" * (256 * 1024 + 1)}, "sourceCode"),
        (CODE | {"type": "spell"}, "type"),
    ],
)
async def test_what_is_wrong_is_named(api: Api, body: dict[str, Any], field: str) -> None:
    refused = await api.client.post(PATH, json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_body"), refused.text
    assert field in refused.text


async def test_pages_hold_the_latest_versions_newest_first(api: Api) -> None:
    for name in ("a", "b", "c"):
        await save(api, JUDGE, name=name)
    await save(api, JUDGE, name="a")
    page = (await api.client.get(PATH, params={"limit": 2})).json()
    assert [one["name"] for one in page["data"]] == ["c", "b"]
    assert page["meta"] == {"page": 1, "limit": 2, "totalItems": 3, "totalPages": 2}
    rest = (await api.client.get(PATH, params={"limit": 2, "page": 2})).json()
    assert [(one["name"], one["version"]) for one in rest["data"]] == [("a", 2)]
    assert (await api.client.get(PATH, params={"page": 0})).json()["code"] == "invalid_query"


async def test_a_deleted_evaluator_is_gone_and_the_audit_log_knows(api: Api) -> None:
    made = await save(api, JUDGE)
    gone = await api.client.delete(f"{PATH}/{made['id']}")
    assert gone.json() == {"message": "Evaluator successfully deleted"}
    missing = await api.client.get(f"{PATH}/{made['id']}")
    assert (missing.status_code, missing.json()["code"]) == (404, "resource_not_found")
    told = await AuditLog(api.database).latest(10, project_id=api.project.id)
    assert {(one.resource_type, one.action) for one in told} >= {("evalTemplate", "create"), ("evalTemplate", "delete")}


async def test_other_keys_are_refused_in_the_groups_form(api: Api) -> None:
    wrong = await api.client.get(PATH, auth=("pk-lf-1", "sk-lf-wrong"))
    assert (wrong.status_code, wrong.json()["code"]) == (401, "authentication_failed")
    organization = await api.client.get(PATH, auth=(ORGANIZATION_KEY, SECRET))
    assert (organization.status_code, organization.json()["code"]) == (403, "access_denied")

"""Masking rules through the API."""

from typing import Any

import pytest

from tests.integration.api.conftest import Api

RULE = {"kind": "expression", "target": r"pin (\d+)", "field": "input", "replacement": "[pin]"}
CALLBACK = {"kind": "callback", "target": "https://h.example/", "failClosed": True, "headers": ["X-Tenant"]}


async def add(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    answer = await api.client.post("/masking-rules", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_rules_are_added_listed_and_removed(api: Api) -> None:
    rule, callback = await add(api, RULE), await add(api, CALLBACK)
    assert {key: rule[key] for key in RULE} == RULE
    assert callback["headers"] == ["x-tenant"]
    assert (await api.client.get("/masking-rules")).json() == {"data": [rule, callback]}
    assert (await api.client.delete(f"/masking-rules/{rule['id']}")).status_code == 200
    assert (await api.client.delete(f"/masking-rules/{rule['id']}")).status_code == 404
    assert (await api.client.get("/masking-rules")).json() == {"data": [callback]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "magic", "target": "x"},
        {"kind": "expression", "target": "("},
        {"kind": "expression", "target": "x*"},
        {"kind": "expression", "target": "x", "feild": "input"},
        {"kind": "detector", "target": "passport"},
        {"kind": "presidio", "target": "PERSON"},
        {"kind": "callback", "target": "file:///etc/passwd"},
        {"kind": "callback", "target": "https://h/", "headers": ["Authorization"]},
    ],
)
async def test_what_is_no_rule_is_refused(api: Api, body: dict[str, Any]) -> None:
    answer = await api.client.post("/masking-rules", json=body)
    assert answer.status_code == 400
    assert answer.json()["message"]


async def test_a_dry_run_shows_what_is_hidden_in_a_value(api: Api) -> None:
    asked = {"rules": [RULE], "value": {"a": "pin 1234"}, "field": "input"}
    shown = (await api.client.post("/masking-rules/dry-run", json=asked)).json()
    assert shown["masked"] == {"a": "pin [pin]"}
    assert shown["hidden"] == [{"ruleId": None, "kind": "expression", "target": RULE["target"], "text": "1234"}]
    assert (await api.client.get("/masking-rules")).json() == {"data": []}


async def test_a_dry_run_shows_what_would_have_been_hidden_in_what_is_stored(api: Api) -> None:
    rows = [
        api.stored.observation("t", "a", input="pin 1234", output="pin 1234"),
        api.stored.observation("t", "b", input="nothing"),
    ]
    api.stored.insert("observations", *rows)
    rule = await add(api, RULE)
    answer = (await api.client.post("/masking-rules/dry-run", json={"observations": 10})).json()
    hidden = [{"ruleId": rule["id"], "kind": "expression", "target": RULE["target"], "text": "1234"}]
    place = {"traceId": "t", "observationId": "a", "field": "input"}
    assert answer == {"observations": 2, "data": [{**place, "masked": "pin [pin]", "hidden": hidden}]}


async def test_a_dry_run_of_nothing_is_refused(api: Api) -> None:
    assert (await api.client.post("/masking-rules/dry-run", json={"rules": [RULE]})).status_code == 400

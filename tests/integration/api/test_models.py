"""Model definitions through the API."""

from typing import Any

import pytest
from langfuse.api import Model as SdkModel
from langfuse.api.core.pydantic_utilities import parse_obj_as

from heliograph.domain.not_found import ModelNotFound
from ingestion.pricing import managed_prices
from storage.postgres.models import Models
from storage.postgres.projects import Projects
from tests.integration.api.conftest import Api

FLAT = {
    "modelName": "mine",
    "matchPattern": "(?i)^mine$",
    "unit": "TOKENS",
    "inputPrice": 0.0000025,
    "outputPrice": 1e-05,
}
TIERED = {
    "modelName": "tiered",
    "matchPattern": "^tiered$",
    "startDate": "2026-02-03T04:05:06.000Z",
    "unit": "TOKENS",
    "tokenizerId": "openai",
    "tokenizerConfig": {"tokenizerModel": "gpt-4o", "tokensPerMessage": 3, "tokensPerName": 1},
    "pricingTiers": [
        {"name": "Standard", "isDefault": True, "priority": 0, "conditions": [], "prices": {"input": 3e-06}},
        {
            "name": "long", "isDefault": False, "priority": 1, "prices": {"input": 6e-06},
            "conditions": [
                {"usageDetailPattern": "input", "operator": "gt", "value": 200000, "caseSensitive": False},
                {"source": "model_parameters", "key": "service_tier", "operator": "in", "values": ["flex"]},
            ],
        },
    ],
}  # fmt: skip


async def create(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    answer = await api.client.post("/models", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_flat_prices_are_a_tier(api: Api) -> None:
    made = await create(api, FLAT)
    assert {key: made[key] for key in FLAT} == FLAT
    assert made["isLangfuseManaged"] is False
    assert made["prices"] == {"input": {"price": 0.0000025}, "output": {"price": 1e-05}}
    (tier,) = made["pricingTiers"]
    assert (tier["name"], tier["isDefault"], tier["prices"]) == ("Standard", True, {"input": 2.5e-06, "output": 1e-05})
    assert parse_obj_as(SdkModel, made).match_pattern == FLAT["matchPattern"]


async def test_tiers_come_back_as_they_were_sent(api: Api) -> None:
    made = await create(api, TIERED)
    shown = {key: made[key] for key in TIERED}
    tiers = [{key: value for key, value in tier.items() if key != "id"} for tier in shown.pop("pricingTiers")]
    assert {**shown, "pricingTiers": tiers} == TIERED
    assert (await api.client.get(f"/models/{made['id']}")).json() == made


async def test_own_definitions_come_first_and_managed_ones_follow(api: Api) -> None:
    made = await create(api, FLAT)
    page = (await api.client.get("/models", params={"limit": 2})).json()
    managed = managed_prices().models
    assert [model["id"] for model in page["data"]] == [made["id"], managed[0].id]
    assert page["meta"]["totalItems"] == len(managed) + 1
    every = (await api.client.get("/models", params={"limit": 100, "page": 3})).json()["data"]
    assert all(parse_obj_as(SdkModel, model).is_langfuse_managed for model in every)
    one = (await api.client.get("/models/heliograph-gpt-4o")).json()
    assert (one["inputPrice"], one["isLangfuseManaged"]) == (0.0000025, True)


async def test_a_definition_is_put_under_an_id_and_replaced(api: Api) -> None:
    first = (await api.client.put("/models/my-model", json=FLAT)).json()
    assert (first["id"], first["inputPrice"], first["isLangfuseManaged"]) == ("my-model", 0.0000025, False)

    second = await api.client.put("/models/my-model", json=TIERED)

    assert (await api.client.get("/models/my-model")).json() == second.json()
    assert (second.json()["modelName"], second.json()["tokenizerId"]) == ("tiered", "openai")
    assert second.json()["createdAt"] == first["createdAt"]
    assert [one["id"] for one in (await api.client.get("/models", params={"limit": 1})).json()["data"]] == ["my-model"]


async def test_no_managed_model_nor_another_projects_is_replaced(api: Api) -> None:
    assert (await api.client.put("/models/heliograph-gpt-4o", json=FLAT)).status_code == 400
    other = await Projects(api.database).create("another", organization_name="The organization")
    mine = await create(api, FLAT)
    known = await Models(api.database, api.project.id).get(mine["id"])

    with pytest.raises(ModelNotFound):
        await Models(api.database, other.id).put(known)
    taken = await api.client.put("/models/second", json=FLAT)
    assert (taken.status_code, "is taken already" in taken.text) == (400, True)


async def test_deletion(api: Api) -> None:
    made = await create(api, FLAT)
    gone = await api.client.delete(f"/models/{made['id']}")
    assert (gone.status_code, gone.json()) == (200, {"message": "Model successfully deleted"})
    assert (await api.client.get(f"/models/{made['id']}")).status_code == 404
    assert (await api.client.delete(f"/models/{made['id']}")).status_code == 404
    assert (await api.client.delete("/models/heliograph-gpt-4o")).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"inputPrice": None, "outputPrice": None},
        {"totalPrice": 1},
        {"pricingTiers": TIERED["pricingTiers"]},
        {"matchPattern": "(a+)+"},
        {"inputPrice": -1},
        {"inputPrice": "NaN"},
        {"unit": "POUNDS"},
        {"tokenizerId": "abacus"},
        {"modelName": None},
    ],
)
async def test_what_breaks_a_rule_is_refused(api: Api, change: dict[str, Any]) -> None:
    answer = await api.client.post("/models", json=FLAT | change)
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize(("version", "names"), [("3.15.0", ["Standard"]), ("4.18.0", ["Standard", "long"])])
async def test_a_python_sdk_is_told_of_the_tiers_that_it_can_read(api: Api, version: str, names: list[str]) -> None:
    made = await create(api, TIERED)
    headers = {"x-langfuse-sdk-name": "python", "x-langfuse-sdk-version": version}

    listed = (await api.client.get("/models", headers=headers)).json()["data"][0]
    read = (await api.client.get(f"/models/{made['id']}", headers=headers)).json()

    assert [tier["name"] for tier in listed["pricingTiers"]] == names
    assert read == listed

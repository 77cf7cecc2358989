"""Score configs through the API."""

import json
from typing import Any

import pytest
from langfuse.api import ScoreConfig as SdkScoreConfig
from langfuse.api.core.pydantic_utilities import parse_obj_as

from storage.postgres.projects import Projects
from storage.postgres.score_configs import ScoreConfigs
from tests.integration.api.conftest import Api

MOOD = {
    "name": "mood (v1.0)",
    "dataType": "CATEGORICAL",
    "categories": [{"label": "bad", "value": 0}, {"label": "good", "value": 1}],
    "description": "how it felt",
}


async def create(api: Api, **body: Any) -> dict[str, Any]:
    got = await api.client.post("/score-configs", json=body)
    assert got.status_code == 200, got.text
    parse_obj_as(SdkScoreConfig, got.json())
    return dict(got.json())


async def change(api: Api, config: dict[str, Any], **body: Any) -> dict[str, Any]:
    got = await api.client.patch(f"/score-configs/{config['id']}", json=body)
    assert got.status_code == 200, got.text
    return dict(got.json())


async def test_a_config_is_kept_as_it_was_declared(api: Api) -> None:
    mood = await create(api, **MOOD)
    assert {key: mood[key] for key in MOOD} == MOOD
    assert (mood["isArchived"], mood["minValue"], mood["projectId"]) == (False, None, api.project.id)
    assert (await api.client.get(f"/score-configs/{mood['id']}")).json() == mood
    rate = await create(api, name="rate", dataType="NUMERIC", minValue=-0.5, maxValue=1, categories=None)
    assert (rate["minValue"], rate["maxValue"], rate["categories"], rate["description"]) == (-0.5, 1, None, None)


async def test_a_boolean_config_has_its_categories_from_its_type(api: Api) -> None:
    made = await create(api, name="ok", dataType="BOOLEAN")
    assert made["categories"] == [{"label": "True", "value": 1}, {"label": "False", "value": 0}]
    assert (await create(api, name="note", dataType="TEXT"))["categories"] is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 36}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": None}, "name"),
        ({"dataType": "CORRECTION"}, "dataType"),
        ({"dataType": "odd"}, "dataType"),
        ({"categories": None}, "categories"),
        ({"categories": []}, "categories"),
        ({"categories": [{"label": "a", "value": 1}, {"label": "a", "value": 2}]}, "categories"),
        ({"categories": [{"label": "a", "value": 1}, {"label": "b", "value": 1}]}, "categories"),
        ({"categories": [{"label": "", "value": 1}]}, "categories"),
        ({"categories": [{"label": "a"}]}, "categories"),
        ({"minValue": 1}, "minValue"),
        ({"dataType": "NUMERIC"}, "categories"),
        ({"dataType": "BOOLEAN"}, "categories"),
        ({"dataType": "TEXT", "categories": None, "maxValue": 1}, "maxValue"),
        ({"dataType": "NUMERIC", "categories": None, "minValue": 1, "maxValue": 1}, "maxValue"),
        ({"dataType": "NUMERIC", "categories": None, "minValue": "low"}, "minValue"),
        ({"description": "\0"}, "description"),
    ],
)
async def test_what_cannot_be_a_config_is_refused_and_named(api: Api, wrong: dict[str, Any], field: str) -> None:
    got = await api.client.post("/score-configs", json=MOOD | wrong)
    assert got.status_code == 400
    assert field in json.dumps(got.json())
    assert (await api.client.get("/score-configs")).json()["data"] == []


async def test_a_change_touches_what_it_names(api: Api) -> None:
    mood = await create(api, **MOOD)
    archived = await change(api, mood, isArchived=True)
    assert archived == mood | {"isArchived": True, "updatedAt": archived["updatedAt"]}
    renamed = await change(api, mood, name="mood", isArchived=False, categories=[{"label": "so", "value": 2}])
    assert (renamed["name"], renamed["isArchived"], renamed["categories"]) == (
        "mood",
        False,
        [{"label": "so", "value": 2}],
    )
    assert renamed["description"] == "how it felt"
    rate = await create(api, name="rate", dataType="NUMERIC", minValue=0, maxValue=1, description="d")
    opened = await change(api, rate, maxValue=None, description=None, name=None)
    assert (opened["minValue"], opened["maxValue"], opened["description"], opened["name"]) == (0, None, None, "rate")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "body"),
        ({"name": None}, "body"),
        ({"unknown": 1}, "body"),
        ({"minValue": 2}, "maxValue"),
        ({"categories": [{"label": "a", "value": 1}]}, "categories"),
        ({"name": "x" * 36}, "name"),
        ({"isArchived": "perhaps"}, "isArchived"),
    ],
)
async def test_a_change_that_makes_no_config_is_refused(api: Api, changes: dict[str, Any], field: str) -> None:
    rate = await create(api, name="rate", dataType="NUMERIC", minValue=0, maxValue=1)
    got = await api.client.patch(f"/score-configs/{rate['id']}", json=changes)
    assert got.status_code == 400
    assert field in json.dumps(got.json())
    assert (await api.client.get(f"/score-configs/{rate['id']}")).json() == rate


async def test_configs_of_other_projects_are_not_there(api: Api) -> None:
    other = await Projects(api.database).create("other", organization_name="Another organization")
    made = await create(api, **MOOD)
    foreign = ScoreConfigs(api.database, other.id)
    (copied,) = (await ScoreConfigs(api.database, api.project.id).of([made["id"]])).values()
    theirs = await foreign.create(copied)
    for config_id in (theirs.id, "nothing", "%00"):
        route = f"/score-configs/{config_id}"
        expected = (400,) if config_id == "%00" else (404,)
        assert (await api.client.get(route)).status_code in expected
        assert (await api.client.patch(route, json={"isArchived": True})).status_code in expected
    assert [one["id"] for one in (await api.client.get("/score-configs")).json()["data"]] == [made["id"]]
    assert not (await foreign.get(theirs.id)).is_archived


async def test_pages_hold_every_config_once(api: Api) -> None:
    made = [(await create(api, name=f"n{number}", dataType="TEXT"))["id"] for number in range(5)]
    seen = []
    for number in (1, 2, 3):
        got = (await api.client.get("/score-configs", params={"limit": 2, "page": number})).json()
        assert got["meta"] == {"page": number, "limit": 2, "totalItems": 5, "totalPages": 3}
        seen += [one["id"] for one in got["data"]]
    assert seen == made[::-1]
    assert (await api.client.get("/score-configs", params={"limit": 0})).status_code == 400

"""Scores through the third generation of the API."""

import json
from datetime import timedelta
from typing import Any

import pytest
from langfuse.api.core.pydantic_utilities import parse_obj_as
from langfuse.api.scores.types.get_scores_v3response import GetScoresV3Response

from tests.factories import NOON, score
from tests.integration.api.conftest import Api
from tests.integration.api.test_scores import scored

__all__ = ["scored"]

_NAMES = "id projectId name value dataType source timestamp environment createdAt updatedAt"
CORE = frozenset(_NAMES.split())


async def stream(api: Api, **params: Any) -> dict[str, Any]:
    got = await api.client.get("/v3/scores", params=params)
    assert got.status_code == 200, got.text
    parse_obj_as(GetScoresV3Response, got.json())
    return dict(got.json())


async def ids(api: Api, **params: Any) -> str:
    return " ".join(one["id"] for one in (await stream(api, **params))["data"])


async def test_values_have_the_types_of_their_scores(scored: Api) -> None:
    got = await stream(scored)
    assert [one["value"] for one in got["data"]] == [0.9, True, "warm", "a note", "better", 0.1, 0.2]
    assert got["meta"] == {"limit": 50}
    assert all(set(one) == CORE for one in got["data"])


async def test_groups_add_their_fields(scored: Api) -> None:
    found = {one["id"]: one for one in (await stream(scored, fields="core,details,subject,annotation"))["data"]}
    assert (found["s1"]["comment"], found["s1"]["metadata"]) == ("good", {"why": "fine", "n": 3})
    assert [found[f"s{n}"]["subject"] for n in (1, 2, 6, 7)] == [
        {"kind": "trace", "id": "t1"},
        {"kind": "observation", "id": "o1", "traceId": "t1"},
        {"kind": "session", "id": "s"},
        {"kind": "experiment", "id": "r"},
    ]
    told = (found["s6"]["configId"], found["s6"]["queueId"], found["s6"]["authorUserId"])
    assert told == ("c1", "q1", "u1")
    (narrow,) = (await stream(scored, fields="subject", id="s1"))["data"]
    assert set(narrow) == CORE | {"subject"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"id": "s1,s7,foreign"}, "s1 s7"),
        ({"name": "output,nothing"}, "s5"),
        ({"source": "eval,ANNOTATION"}, "s3 s7"),
        ({"dataType": "text,Correction"}, "s4 s5"),
        ({"environment": "prod"}, "s4"),
        ({"configId": "c1"}, "s6"),
        ({"queueId": "q1,q2"}, "s6"),
        ({"authorUserId": "u1"}, "s6"),
        ({"dataType": "NUMERIC", "value": "0.9,0.2"}, "s1 s7"),
        ({"dataType": "BOOLEAN", "value": "true"}, "s2"),
        ({"dataType": "BOOLEAN", "value": "false"}, ""),
        ({"dataType": "CATEGORICAL", "value": "warm,cold"}, "s3"),
        ({"dataType": "NUMERIC", "valueMin": 0.1, "valueMax": 0.2}, "s6 s7"),
        ({"traceId": "t1,t2"}, "s1 s2 s3 s4 s5"),
        ({"traceId": "t1", "observationId": "o1"}, "s2"),
        ({"sessionId": "s"}, "s6"),
        ({"experimentId": "r"}, "s7"),
        ({"fromTimestamp": (NOON - timedelta(minutes=2)).isoformat()}, "s1 s2"),
        ({"toTimestamp": (NOON - timedelta(minutes=5)).isoformat()}, "s6 s7"),
    ],
)
async def test_filters_are_met_together(scored: Api, params: dict[str, Any], expected: str) -> None:
    assert await ids(scored, **params) == expected


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"page": 1}, "page"),
    ({"userId": "ada"}, "userId"),
    ({"traceTags": "x"}, "traceTags"),
    ({"limit": 101}, "limit"),
    ({"limit": 0}, "limit"),
    ({"fields": "core,io"}, "fields"),
    ({"cursor": "odd"}, "cursor"),
    ({"source": "me"}, "source"),
    ({"dataType": "loud"}, "dataType"),
    ({"value": "1"}, "value"),
    ({"value": "1", "dataType": "NUMERIC,BOOLEAN"}, "value"),
    ({"value": "a", "dataType": "TEXT"}, "value"),
    ({"value": "much", "dataType": "NUMERIC"}, "value"),
    ({"value": "inf", "dataType": "NUMERIC"}, "value"),
    ({"value": "1", "dataType": "BOOLEAN"}, "value"),
    ({"valueMin": 1, "dataType": "BOOLEAN"}, "valueMin"),
    ({"valueMax": 1}, "valueMax"),
    ({"traceId": "t", "sessionId": "s"}, "sessionId"),
    ({"sessionId": "s", "experimentId": "r"}, "experimentId"),
    ({"observationId": "o"}, "observationId"),
    ({"observationId": "o", "sessionId": "s"}, "observationId"),
]


async def test_what_cannot_be_asked_is_named(api: Api) -> None:
    for params, field in REFUSED:
        got = await api.client.get("/v3/scores", params=params)
        assert got.status_code == 400, params
        assert field in json.dumps(got.json())


async def test_the_cursor_leads_through_every_score_once_while_others_arrive(api: Api) -> None:
    rows = [api.stored.score(f"p{n:02}", trace_id="t", timestamp=NOON + timedelta(seconds=n // 9)) for n in range(25)]
    api.stored.insert("scores", *rows, score("other-project", "foreign", trace_id="t"))
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for number in range(4):
        got = await stream(api, limit=7, **cursor)
        seen += [one["id"] for one in got["data"]]
        api.stored.insert("scores", api.stored.score(f"late{number}", timestamp=NOON + timedelta(hours=1)))
        cursor = {"cursor": got["meta"].get("cursor", "")}
    assert seen == sorted((f"p{n:02}" for n in range(25)), reverse=True)
    assert cursor == {"cursor": ""}

"""Scores through the first two generations of the API."""

import json
from datetime import timedelta
from typing import Any

import pytest
from langfuse.api.commons.types.score import Score_Correction, Score_Numeric, Score_Text
from langfuse.api.core.pydantic_utilities import parse_obj_as

from tests.factories import NOON, score, trace
from tests.integration.api.conftest import Api

_NAMES = (
    "id timestamp projectId environment name value dataType source authorUserId comment metadata configId queueId "
    "executionTraceId traceId observationId sessionId datasetRunId createdAt updatedAt trace"
)
KEYS = frozenset(_NAMES.split())


@pytest.fixture
def scored(api: Api) -> Api:
    """Seven scores on two traces, a session and an experiment, the first the newest; and another project's."""
    made = api.stored.score
    rows: list[dict[str, Any]] = [
        {"trace_id": "t1", "value": 0.9, "comment": "good", "metadata": [("why", '"fine"'), ("n", "3")]},
        {"trace_id": "t1", "observation_id": "o1", "data_type": "BOOLEAN", "value": 1, "string_value": "True"},
        {"trace_id": "t2", "data_type": "CATEGORICAL", "value": 0, "string_value": "warm", "source": "EVAL"},
        {"trace_id": "t2", "data_type": "TEXT", "value": 0, "string_value": "a note", "environment": "prod"},
        {"trace_id": "t2", "data_type": "CORRECTION", "name": "output", "value": 0, "long_string_value": "better"},
        {"session_id": "s", "value": 0.1, "config_id": "c1", "queue_id": "q1", "author_user_id": "u1"},
        {"dataset_run_id": "r", "value": 0.2, "source": "ANNOTATION"},
    ]
    api.stored.insert(
        "scores",
        *(made(f"s{n}", timestamp=NOON - timedelta(minutes=n), **row) for n, row in enumerate(rows, 1)),
        score("other-project", "s1", trace_id="t1"),
        score("other-project", "foreign", trace_id="t1"),
    )
    api.stored.insert(
        "traces",
        api.stored.trace("t1", user_id="ada", tags=["x", "y"], environment="prod", session_id="s"),
        api.stored.trace("t2", user_id="bob", tags=["y"], name="other"),
        trace("other-project", "t1", user_id="bob"),
    )
    return api


async def listed(api: Api, route: str = "/v2/scores", **params: Any) -> list[dict[str, Any]]:
    got = await api.client.get(route, params=params)
    assert got.status_code == 200, got.text
    return list(got.json()["data"])


async def ids(api: Api, route: str = "/v2/scores", **params: Any) -> str:
    return " ".join(one["id"] for one in await listed(api, route, **params))


async def test_a_listed_score_has_every_key_and_tells_of_its_trace(scored: Api) -> None:
    first = (await listed(scored, "/scores"))[0]
    assert set(first) == KEYS
    assert (first["value"], first["comment"], first["metadata"]) == (0.9, "good", {"why": "fine", "n": 3})
    assert first["trace"] == {"userId": "ada", "tags": ["x", "y"], "environment": "prod", "sessionId": "s"}
    assert parse_obj_as(Score_Numeric, first).value == 0.9


async def test_each_data_type_shows_its_own_value(scored: Api) -> None:
    shown = {one["id"]: (one.get("value", "absent"), one.get("stringValue")) for one in await listed(scored)}
    assert [shown[f"s{n}"] for n in range(1, 6)] == [
        (0.9, None), (1, "True"), (0, "warm"), ("absent", "a note"), (0, "better"),
    ]  # fmt: skip
    found = await listed(scored)
    assert parse_obj_as(Score_Text, found[3]).string_value == "a note"
    assert parse_obj_as(Score_Correction, found[4]).string_value == "better"


async def test_the_first_generation_knows_scores_of_traces_alone(scored: Api) -> None:
    assert await ids(scored, "/scores") == "s1 s2 s3 s4 s5"
    assert await ids(scored) == "s1 s2 s3 s4 s5 s6 s7"
    assert (await scored.client.get("/scores/s6")).status_code == 404
    session = (await scored.client.get("/v2/scores/s6")).json()
    assert (session["sessionId"], session["traceId"], session["value"]) == ("s", None, 0.1)
    assert (session["configId"], session["queueId"], session["authorUserId"]) == ("c1", "q1", "u1")
    assert (await listed(scored, sessionId="s"))[0]["trace"] is None


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"userId": "ada"}, "s1 s2"),
        ({"traceTags": "y"}, "s1 s2 s3 s4 s5"),
        ({"traceTags": ["y", "x"]}, "s1 s2"),
        ({"name": "output"}, "s5"),
        ({"dataType": "BOOLEAN"}, "s2"),
        ({"source": "EVAL"}, "s3"),
        ({"environment": ["prod", "none"]}, "s4"),
        ({"fromTimestamp": (NOON - timedelta(minutes=3)).isoformat()}, "s1 s2 s3"),
        ({"toTimestamp": (NOON - timedelta(minutes=3)).isoformat()}, "s4 s5"),
        ({"value": 0.9}, "s1"),
        ({"value": 0.9, "operator": ">="}, "s1 s2"),
        ({"value": 0, "operator": "!="}, "s1 s2"),
        ({"value": 0.9, "operator": "<", "dataType": "CATEGORICAL"}, "s3"),
        ({"scoreIds": "s2,s4, ,nothing"}, "s2 s4"),
        ({"userId": "", "value": "", "dataType": ""}, "s1 s2 s3 s4 s5"),
        ({"filter": '[{"type":"stringObject","column":"metadata","key":"why","operator":"=","value":"fine"}]'}, "s1"),
        ({"filter": '[{"type":"string","column":"traceName","operator":"=","value":"other"}]'}, "s3 s4 s5"),
        ({"filter": '[{"type":"null","column":"observationId","operator":"is not null","value":""}]'}, "s2"),
        ({"userId": "bob", "filter": '[{"type":"number","column":"value","operator":">","value":5}]'}, ""),
    ],
)
async def test_both_generations_filter(scored: Api, params: dict[str, Any], expected: str) -> None:
    assert await ids(scored, "/scores", **params) == expected
    trace_scores = await listed(scored, **params)
    assert " ".join(one["id"] for one in trace_scores if one["traceId"]) == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"sessionId": "s"}, "s6"),
        ({"datasetRunId": "r"}, "s7"),
        ({"traceId": "t2"}, "s3 s4 s5"),
        ({"observationId": "o1,o2"}, "s2"),
        ({"configId": "c1"}, "s6"),
        ({"queueId": "q1"}, "s6"),
        ({"source": "ANNOTATION"}, "s7"),
    ],
)
async def test_the_second_generation_filters_by_subject(scored: Api, params: dict[str, Any], expected: str) -> None:
    assert await ids(scored, **params) == expected


async def test_traces_are_left_out_unless_they_are_asked_for(scored: Api) -> None:
    assert "trace" not in (await listed(scored, fields="score"))[0]
    assert "trace" in (await listed(scored, fields="score,trace"))[0]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"dataType": "LOUD"}, "dataType"),
    ({"source": "ME"}, "source"),
    ({"operator": "~", "value": 1}, "operator"),
    ({"value": "much"}, "value"),
    ({"value": "nan"}, "value"),
    ({"limit": 101}, "limit"),
    ({"page": 0}, "page"),
    ({"fromTimestamp": "noon"}, "fromTimestamp"),
    ({"filter": "{"}, "filter"),
    ({"filter": '[{"type":"string","column":"secret","operator":"=","value":""}]'}, "filter"),
]


async def test_what_cannot_be_asked_is_named(api: Api) -> None:
    for route in ("/scores", "/v2/scores"):
        for params, field in REFUSED:
            got = await api.client.get(route, params=params)
            assert got.status_code == 400, (route, params)
            assert field in json.dumps(got.json())


@pytest.mark.parametrize("params", [{"fields": "trace"}, {"fields": "score", "userId": "ada"}, {"fields": "score,odd"}])
async def test_groups_that_contradict_the_filters_are_refused(api: Api, params: dict[str, Any]) -> None:
    got = await api.client.get("/v2/scores", params=params)
    assert (got.status_code, got.json()["message"][:7]) == (400, "fields:")


async def test_scores_of_other_projects_are_not_there(scored: Api) -> None:
    for route in ("/scores/foreign", "/v2/scores/foreign", "/v2/scores/nothing"):
        got = await scored.client.get(route)
        assert (got.status_code, got.json()["error"]) == (404, "LangfuseNotFoundError")
    assert "foreign" not in await ids(scored)
    assert {one["projectId"] for one in await listed(scored)} == {scored.project.id}


@pytest.mark.parametrize("route", ["/scores", "/v2/scores"])
async def test_pages_hold_every_score_once(api: Api, route: str) -> None:
    # Many at the same moment: ids decide.
    rows = [api.stored.score(f"p{n}", trace_id="t", timestamp=NOON + timedelta(seconds=n // 9)) for n in range(25)]
    api.stored.insert("scores", *rows)
    seen: list[str] = []
    for number in (1, 2, 3, 4):
        got = (await api.client.get(route, params={"limit": 7, "page": number})).json()
        assert got["meta"] == {"page": number, "limit": 7, "totalItems": 25, "totalPages": 4}
        seen += [one["id"] for one in got["data"]]
    assert sorted(seen) == sorted(f"p{n}" for n in range(25))
    assert (await api.client.get(route, params={"limit": 7, "page": 5})).json()["data"] == []

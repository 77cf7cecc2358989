from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from langfuse.api.commons.types.score import Score_Boolean, Score_Categorical, Score_Numeric
from langfuse.api.core.pydantic_utilities import parse_obj_as

from tests.factories import NOON
from tests.integration.api.conftest import Api

TRACE_NAMES = (
    "id externalId timestamp name userId metadata release version projectId environment public bookmarked tags "
    "input output sessionId createdAt updatedAt observations scores totalCost latency htmlPath "
)
TRACE_KEYS = frozenset(TRACE_NAMES.split())


async def listed(api: Api, **params: Any) -> list[dict[str, Any]]:
    got = await api.client.get("/traces", params=params)
    assert got.status_code == 200, got.text
    return list(got.json()["data"])


async def ids(api: Api, **params: Any) -> list[str]:
    return [trace["id"] for trace in await listed(api, **params)]


@pytest.fixture
def one(api: Api) -> Api:
    api.stored.insert(
        "traces",
        api.stored.trace(
            "t",
            timestamp=NOON + timedelta(microseconds=123456),
            name="chat",
            user_id="ada",
            session_id="s",
            release="r1",
            version="v1",
            tags=["a", "b"],
            public=True,
            metadata=[("text", '"5"'), ("number", "5"), ("raw", "loose"), ("nested", '{"deep":[1]}')],
            root_observation_id="root",
            observation_count=2,
            score_count=3,
            latency_ms=2345.6,
            total_cost=Decimal("0.012345678901"),
        ),
    )
    api.stored.insert(
        "observations",
        api.stored.observation("t", "root", input='{"question":"why?"}', output="because"),
        api.stored.observation("t", "child", parent_observation_id="root", start_time=NOON + timedelta(seconds=1)),
    )
    api.stored.insert(
        "scores",
        api.stored.score("s1", trace_id="t", metadata=[("why", '"fine"')]),
        api.stored.score("s2", trace_id="t", observation_id="child", data_type="BOOLEAN", value=1, string_value="True"),
        api.stored.score("s3", trace_id="t", data_type="CATEGORICAL", value=0, string_value="warm"),
    )
    return api


async def test_a_listed_trace_has_every_key_and_the_ids_of_its_parts(one: Api) -> None:
    (trace,) = await listed(one)
    assert set(trace) == TRACE_KEYS
    assert trace | {"createdAt": "", "updatedAt": ""} == {
        "id": "t",
        "externalId": None,
        "timestamp": "2026-11-20T12:00:00.123Z",
        "name": "chat",
        "userId": "ada",
        "metadata": {"text": "5", "number": 5, "raw": "loose", "nested": {"deep": [1]}},
        "release": "r1",
        "version": "v1",
        "projectId": one.project.id,
        "environment": "default",
        "public": True,
        "bookmarked": False,
        "tags": ["a", "b"],
        "input": {"question": "why?"},
        "output": "because",
        "sessionId": "s",
        "createdAt": "",
        "updatedAt": "",
        "observations": ["root", "child"],
        "scores": ["s1", "s2", "s3"],
        "totalCost": 0.012345678901,
        "latency": 2.346,
        "htmlPath": f"/project/{one.project.id}/traces/t",
    }


async def test_fields_that_were_not_asked_for_keep_their_keys(one: Api) -> None:
    (core,) = await listed(one, fields="core,unknown")
    assert set(core) == TRACE_KEYS
    assert (core["input"], core["observations"], core["scores"]) == (None, [], [])
    assert (core["totalCost"], core["latency"]) == (-1, -1)
    (with_metrics,) = await listed(one, fields="core,metrics")
    assert with_metrics["latency"] == 2.346


async def test_one_trace_comes_with_whole_observations_and_scores(one: Api) -> None:
    got = await one.client.get("/traces/t")
    trace = got.json()
    assert set(trace) == TRACE_KEYS
    assert [each["id"] for each in trace["observations"]] == ["root", "child"]
    assert trace["observations"][0]["input"] == {"question": "why?"}
    by_id = {each["id"]: each for each in trace["scores"]}
    assert parse_obj_as(Score_Numeric, by_id["s1"]).value == 0.5
    assert parse_obj_as(Score_Boolean, by_id["s2"]).string_value == "True"
    assert parse_obj_as(Score_Categorical, by_id["s3"]).string_value == "warm"
    assert by_id["s1"]["metadata"] == {"why": "fine"}


async def test_a_trace_of_its_own_without_a_root_is_shown_as_it_is(api: Api) -> None:
    stored = api.stored
    stored.insert("traces", stored.trace("alone", root_observation_id="", input='"mine"', output=""))
    stored.insert("observations", stored.observation("alone", "part", input='"another"', output='"other"'))
    shown = (await api.client.get("/traces/alone")).json()
    assert (shown["input"], shown["output"], [one["id"] for one in shown["observations"]]) == ("mine", None, ["part"])


async def test_an_absent_trace_is_not_found_in_the_contracts_words(api: Api) -> None:
    got = await api.client.get("/traces/absent")
    assert got.status_code == 404
    assert got.json() == {
        "message": "Trace absent not found within authorized project",
        "error": "LangfuseNotFoundError",
    }


async def test_each_parameter_narrows_the_list(api: Api) -> None:
    make = api.stored.trace
    api.stored.insert(
        "traces",
        make("a", user_id="ada", name="chat", session_id="s1", version="1", release="r1", tags=["x", "y"]),
        make("b", user_id="bob", name="search", environment="staging", tags=["x"], timestamp=NOON + timedelta(hours=1)),
        make("c", environment="production", timestamp=NOON + timedelta(hours=2)),
    )
    assert await ids(api) == ["c", "b", "a"]
    assert await ids(api, userId="ada") == ["a"]
    assert await ids(api, name="search") == ["b"]
    assert await ids(api, sessionId="s1") == ["a"]
    assert await ids(api, version="1", release="r1") == ["a"]
    assert await ids(api, tags="x") == ["b", "a"]
    assert await ids(api, tags=["x", "y"]) == ["a"]
    assert await ids(api, environment=["staging", "production"]) == ["c", "b"]
    assert await ids(api, fromTimestamp="2026-11-20T13:00:00Z") == ["c", "b"]
    assert await ids(api, toTimestamp="2026-11-20T13:00:00.000Z") == ["a"]
    assert await ids(api, orderBy="timestamp.asc") == ["a", "b", "c"]
    assert await ids(api, orderBy="name.desc", limit=1) == ["b"]
    assert await ids(api, userId="", page="", limit="", unknown="x") == ["c", "b", "a"]


async def test_the_filter_parameter_takes_the_place_of_a_simple_one(api: Api) -> None:
    api.stored.insert("traces", api.stored.trace("a", user_id="ada"), api.stored.trace("b", user_id="bob"))
    bob = orjson.dumps([{"type": "string", "column": "userId", "operator": "=", "value": "bob"}]).decode()
    assert await ids(api, userId="ada", filter=bob) == ["b"]


async def test_pages_say_how_many_there_are(api: Api) -> None:
    api.stored.insert("traces", *(api.stored.trace(f"t{n}") for n in range(5)))
    got = (await api.client.get("/traces", params={"page": 3, "limit": 2})).json()
    assert got["meta"] == {"page": 3, "limit": 2, "totalItems": 5, "totalPages": 3}
    assert len(got["data"]) == 1


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("page=0", "page"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("fromTimestamp=yesterday", "fromTimestamp"),
        ("filter=nonsense", "filter"),
        ('filter=[{"type":"string","column":"name","operator":"~","value":"x"}]', "filter"),
        ('filter=[{"type":"stringOptions","column":"name","operator":"any of","value":[]}]', "filter"),
    ],
)
async def test_an_invalid_parameter_is_named(api: Api, query: str, place: str) -> None:
    got = await api.client.get(f"/traces?{query}")
    assert got.status_code == 400
    assert got.json()["message"] == "Invalid request data"
    assert place in got.json()["error"][0]["path"]


@pytest.mark.parametrize(
    "query",
    [
        "orderBy=nonsense",
        "orderBy=project_id.asc",
        'filter=[{"type":"string","column":"project_id","operator":"=","value":"x"}]',
    ],
)
async def test_what_cannot_be_asked_is_an_invalid_request(api: Api, query: str) -> None:
    got = await api.client.get(f"/traces?{query}")
    assert (got.status_code, got.json()["error"]) == (400, "InvalidRequestError")


async def test_a_list_takes_one_query_for_each_part_of_it(one: Api) -> None:
    asked: list[str] = []
    read = one.stored.clickhouse.read

    async def noting(sql: str, parameters: Any) -> Any:
        asked.append(sql)
        return await read(sql, parameters)

    one.stored.clickhouse.read = noting  # type: ignore[method-assign]
    await listed(one, fields="core")
    assert len(asked) == 2
    asked.clear()
    await listed(one)
    assert len(asked) == 5

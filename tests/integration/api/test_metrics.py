from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from langfuse.api.core.pydantic_utilities import parse_obj_as
from langfuse.api.metrics.types.metrics_v2response import MetricsV2Response

from tests.factories import NOON
from tests.integration.api.conftest import Api

DAY = timedelta(days=1)
QUERY = {
    "view": "observations",
    "metrics": [{"measure": "count", "aggregation": "count"}],
    "fromTimestamp": (NOON - DAY).isoformat(),
    "toTimestamp": (NOON + DAY).isoformat(),
}


async def asked(api: Api, path: str, **parts: Any) -> list[dict[str, Any]]:
    got = await api.client.get(path, params={"query": orjson.dumps(QUERY | parts).decode()})
    assert got.status_code == 200, got.text
    return list(parse_obj_as(MetricsV2Response, got.json()).data)


@pytest.fixture
def busy(api: Api) -> Api:
    make = api.stored.observation
    api.stored.insert(
        "traces",
        api.stored.trace("a", user_id="ada", tags=["x", "y"], observation_count=2, total_cost=Decimal("0.3")),
        api.stored.trace("b", name="other", tags=["x"], environment="staging"),
        api.stored.trace("c", timestamp=NOON - DAY, observation_count=1),
    )
    api.stored.insert(
        "observations",
        make("a", "a1", provided_model_name="gpt", input_tokens=5, total_tokens=7, total_cost=Decimal("0.3")),
        make("a", "a2", provided_model_name="gpt", output_tokens=2, total_tokens=2),
        # Sent long after its trace began: it belongs to the trace's day.
        make("c", "c1", start_time=NOON + DAY),
    )
    return api


async def test_both_generations_answer_from_the_same_rows(busy: Api) -> None:
    first = await asked(busy, "/metrics", dimensions=[{"field": "providedModelName"}])
    assert first == await asked(busy, "/v2/metrics", dimensions=[{"field": "providedModelName"}])
    assert first == [{"providedModelName": "gpt", "count_count": "2"}]


async def test_only_the_first_generation_has_traces(busy: Api) -> None:
    assert await asked(busy, "/metrics", view="traces") == [{"count_count": "3"}]
    got = await busy.client.get("/v2/metrics", params={"query": orjson.dumps(QUERY | {"view": "traces"}).decode()})
    assert (got.status_code, got.json()["error"]) == (400, "InvalidRequestError")


async def test_a_query_that_is_none_is_named(api: Api) -> None:
    missing = await api.client.get("/metrics")
    assert (missing.status_code, missing.json()["error"][0]["path"]) == (400, ["query"])
    nonsense = await api.client.get("/v2/metrics", params={"query": '{"view":"observations"}'})
    assert nonsense.status_code == 400
    assert ["query", "metrics"] in [each["path"] for each in nonsense.json()["error"]]


async def test_days_come_latest_first_with_usage_by_model(busy: Api) -> None:
    got = (await busy.client.get("/metrics/daily")).json()
    assert got["meta"] == {"page": 1, "limit": 50, "totalItems": 2, "totalPages": 1}
    today, yesterday = got["data"]
    usage = {
        "model": "gpt",
        "inputUsage": 5,
        "outputUsage": 2,
        "totalUsage": 9,
        "countObservations": 2,
        "countTraces": 1,
        "totalCost": 0.3,
    }
    expected = {"date": "2026-11-20", "countTraces": 2, "countObservations": 2, "totalCost": 0.3, "usage": [usage]}
    assert today == expected
    assert (yesterday["date"], yesterday["countTraces"]) == ("2026-11-19", 1)
    assert [(each["model"], each["countObservations"]) for each in yesterday["usage"]] == [(None, 1)]


async def test_days_are_narrowed_by_their_traces(busy: Api) -> None:
    async def counts(**params: Any) -> list[int]:
        got = await busy.client.get("/metrics/daily", params=params)
        return [day["countTraces"] for day in got.json()["data"]]

    assert await counts(traceName="other") == [1]
    assert await counts(userId="ada") == [1]
    assert await counts(tags=["x", "y"]) == [1]
    assert await counts(environment="staging") == [1]
    assert await counts(fromTimestamp=NOON.isoformat()) == [2]
    assert await counts(toTimestamp=NOON.isoformat()) == [1]
    assert await counts(limit=1, page=2) == [1]
    assert await counts(userId="nobody") == []

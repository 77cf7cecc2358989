import base64
from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from langfuse.api.core.pydantic_utilities import parse_obj_as
from langfuse.api.observations.types.observations_v2response import ObservationsV2Response

from ingestion.pricing import managed_prices
from tests.factories import NOON
from tests.integration.api.conftest import Api

V1_NAMES = (
    "id projectId traceId parentObservationId name type environment startTime endTime version createdAt updatedAt "
    "input output metadata level statusMessage model modelParameters completionStartTime promptId promptName "
    "promptVersion usageDetails costDetails usage unit promptTokens completionTokens totalTokens "
    "usagePricingTierName usagePricingTierId modelId inputPrice outputPrice totalPrice calculatedInputCost "
    "calculatedOutputCost calculatedTotalCost latency timeToFirstToken "
)
# The contract's, and what we say beyond it.
V1_KEYS = frozenset({*V1_NAMES.split(), "unpricedUsage"})
ALL_GROUPS = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"


@pytest.fixture
def generation(api: Api) -> Api:
    api.stored.insert(
        "observations",
        api.stored.observation(
            "t",
            "g",
            type="GENERATION",
            name="answer",
            parent_observation_id="root",
            end_time=NOON + timedelta(milliseconds=1500),
            completion_start_time=NOON + timedelta(milliseconds=250),
            input='[{"role":"user","content":"hi"}]',
            output="plain text",
            metadata=[("long", orjson.dumps("x" * 300).decode()), ("nested", '{"a":1}')],
            provided_model_name="gpt-x",
            model_id="m1",
            model_parameters='{"temperature":0.5}',
            usage_details=[("input", 10), ("input_cached_tokens", 5), ("output", 3), ("total", 18)],
            cost_details=[("input", Decimal("0.1")), ("output", Decimal("0.2")), ("total", Decimal("0.3"))],
            input_tokens=15,
            output_tokens=3,
            total_tokens=18,
            total_cost=Decimal("0.3"),
            pricing_tier="Standard",
            unpriced_usage=["input_cached_tokens"],
            prompt_name="greet",
            prompt_version=2,
            user_id="ada",
            session_id="s",
            tags=["x"],
            release="r1",
            trace_name="chat",
        ),
    )
    return api


async def stream(api: Api, **params: Any) -> dict[str, Any]:
    got = await api.client.get("/v2/observations", params=params)
    assert got.status_code == 200, got.text
    parse_obj_as(ObservationsV2Response, got.json())
    return dict(got.json())


async def test_a_v1_observation_has_every_key(generation: Api) -> None:
    got = (await generation.client.get("/observations/g")).json()
    assert set(got) == V1_KEYS
    assert got["input"] == [{"role": "user", "content": "hi"}]
    assert got["output"] == "plain text"
    assert got["modelParameters"] == {"temperature": 0.5}
    assert got["usage"] == {"unit": "TOKENS", "input": 15, "output": 3, "total": 18}
    assert (got["calculatedInputCost"], got["calculatedTotalCost"]) == (0.1, 0.3)
    assert (got["latency"], got["timeToFirstToken"]) == (1.5, 0.25)
    assert got["endTime"] == "2026-11-20T12:00:01.500Z"
    assert got["statusMessage"] is None


async def test_an_absent_observation_is_not_found(api: Api) -> None:
    got = await api.client.get("/observations/absent")
    assert (got.status_code, got.json()["error"]) == (404, "LangfuseNotFoundError")


async def test_the_v1_list_is_paged_and_narrowed(generation: Api) -> None:
    generation.stored.insert("observations", generation.stored.observation("t2", "other"))
    got = (await generation.client.get("/observations", params={"type": "GENERATION", "limit": 1})).json()
    assert [each["id"] for each in got["data"]] == ["g"]
    assert got["meta"] == {"page": 1, "limit": 1, "totalItems": 1, "totalPages": 1}


async def test_without_fields_there_are_core_and_basic_only(generation: Api) -> None:
    (got,) = (await stream(generation))["data"]
    assert got["level"] == "DEFAULT"
    assert got["isRootObservation"] is False
    assert not {"input", "metadata", "usageDetails", "tags"} & set(got)


async def test_with_all_fields_the_sdk_reads_them_back(generation: Api) -> None:
    got = await stream(generation, fields=ALL_GROUPS)
    (observation,) = parse_obj_as(ObservationsV2Response, got).data
    assert observation.model == "gpt-x"
    assert got["data"][0]["providedModelName"] == "gpt-x"
    assert observation.input == '[{"role":"user","content":"hi"}]'
    assert observation.usage_details == {"input": 10, "input_cached_tokens": 5, "output": 3, "total": 18}
    assert observation.cost_details == {"input": 0.1, "output": 0.2, "total": 0.3}
    assert observation.total_cost == 0.3
    assert observation.prompt_version == 2
    assert (observation.latency, observation.time_to_first_token) == (1.5, 0.25)
    assert (observation.trace_name, observation.tags, observation.release) == ("chat", ["x"], "r1")
    assert observation.start_time == NOON


async def test_metadata_is_shortened_unless_expanded(generation: Api) -> None:
    (short,) = (await stream(generation, fields="metadata"))["data"]
    assert short["metadata"] == {"long": "x" * 200, "nested": {"a": 1}}
    (whole,) = (await stream(generation, fields="metadata", expandMetadata="other,long"))["data"]
    assert whole["metadata"]["long"] == "x" * 300


async def test_a_known_model_shows_its_unit_prices(api: Api) -> None:
    model = managed_prices().match("gpt-4o")
    assert model is not None
    api.stored.insert("observations", api.stored.observation("t", "o", provided_model_name="gpt-4o", model_id=model.id))
    (got,) = (await stream(api, fields="model"))["data"]
    assert got["inputPrice"] == "0.0000025"
    v1 = (await api.client.get("/observations/o")).json()
    assert v1["inputPrice"] == 0.0000025


async def test_the_cursor_leads_through_all_observations_once(api: Api) -> None:
    rows = [
        api.stored.observation(f"t{n % 3}", f"o{n}", start_time=NOON + timedelta(microseconds=n // 4))
        for n in range(20)
    ]
    api.stored.insert("observations", *rows)
    seen: list[str] = []
    cursor = ""
    while True:
        page = await stream(api, limit=6, cursor=cursor, fields="core")
        seen += [each["id"] for each in page["data"]]
        if "cursor" not in page["meta"]:
            break
        cursor = page["meta"]["cursor"]
        assert set(orjson.loads(base64.b64decode(cursor))) == {"lastStartTimeTo", "lastTraceId", "lastId"}
    assert len(seen) == 20
    assert set(seen) == {f"o{n}" for n in range(20)}
    assert (await stream(api, limit=0))["data"] == []


async def test_each_parameter_narrows_the_stream(generation: Api) -> None:
    generation.stored.insert("observations", generation.stored.observation("t", "root", level="ERROR", version="2"))

    async def ids(**params: Any) -> set[str]:
        return {each["id"] for each in (await stream(generation, **params))["data"]}

    assert await ids() == {"g", "root"}
    assert await ids(type="GENERATION") == {"g"}
    assert await ids(name="answer", userId="ada", sessionId="s") == {"g"}
    assert await ids(level="ERROR") == {"root"}
    assert await ids(traceId="other") == set()
    assert await ids(version="2") == {"root"}
    assert await ids(parentObservationId="root") == {"g"}
    assert await ids(parentObservationId="") == {"root"}
    assert await ids(isRootObservation="true") == {"root"}
    assert await ids(isRootObservation="false") == {"g"}
    assert await ids(environment="staging") == set()
    assert await ids(fromStartTime="2026-11-20T12:00:00Z", toStartTime="2026-11-20T12:00:00Z") == set()
    full_text = [{"type": "string", "column": "output", "operator": "matches", "value": "PLAIN text"}]
    assert await ids(filter=orjson.dumps(full_text).decode()) == {"g"}
    assert await ids(parseIoAsJson="false") == {"g", "root"}


@pytest.mark.parametrize(
    "query",
    [
        "limit=1001",
        "limit=-1",
        "cursor=nonsense",
        "parseIoAsJson=true",
        'filter=[{"type":"string","column":"input","operator":"contains","value":"x"}]',
        'filter=[{"type":"string","column":"nonsense","operator":"=","value":"x"}]',
    ],
)
async def test_invalid_parameters_are_refused(api: Api, query: str) -> None:
    got = await api.client.get(f"/v2/observations?{query}")
    assert got.status_code == 400, got.text


async def test_the_first_generation_asks_for_the_user_the_session_and_the_tags_of_the_trace(api: Api) -> None:
    stored = api.stored
    stored.insert("traces", stored.trace("t", name="chat", user_id="ada", session_id="s", tags=["vip"]))
    stored.insert("traces", stored.trace("other", name="chat", user_id="bob"))
    # What an older SDK sends: the user is on the trace alone.
    stored.insert("observations", stored.observation("t", "mine"), stored.observation("other", "theirs"))

    async def ids(query: dict[str, Any]) -> set[str]:
        return {one["id"] for one in (await api.client.get("/observations", params=query)).json()["data"]}

    def filtered(kind: str, column: str, operator: str, value: Any) -> dict[str, str]:
        condition = {"type": kind, "column": column, "operator": operator, "value": value}
        return {"filter": orjson.dumps([condition]).decode()}

    assert await ids({"userId": "ada"}) == {"mine"}
    assert await ids(filtered("string", "userId", "does not contain", "ad")) == {"theirs"}
    assert await ids(filtered("stringOptions", "sessionId", "any of", ["s", "none"])) == {"mine"}
    assert await ids(filtered("arrayOptions", "tags", "any of", ["vip"])) == {"mine"}
    assert await ids(filtered("string", "traceName", "=", "chat")) == {"mine", "theirs"}
    second = await api.client.get("/v2/observations", params={"userId": "ada"})
    assert second.json()["data"] == []

"""The door of batch ingestion through its front: what is kept, what is refused, and whose trace is whose."""

import json
from typing import Any

import httpx
import pytest

from heliograph.domain.errors import Overloaded
from heliograph.settings import IngestSettings
from tests.unit.serve_apps.doors import KEY, Failing, KeptInMemory, StoredInMemory, client

BATCH = "/api/public/ingestion"


def event(event_id: str, kind: str, **body: Any) -> dict[str, Any]:
    return {"id": event_id, "type": kind, "timestamp": "2026-11-20T12:00:00.000Z", "body": body}


async def sent(kept: KeptInMemory, *events: Any, stored: StoredInMemory | None = None) -> dict[str, Any]:
    response = await client(kept, stored=stored).post(BATCH, content=json.dumps({"batch": events}))
    assert response.status_code == 207
    answer: dict[str, Any] = response.json()
    return answer


def subjects(kept: KeptInMemory) -> list[str]:
    return [subject for batch in kept.batches for subject in batch.records["subject"].to_pylist()]


async def test_events_of_all_kinds_are_kept_and_acknowledged_by_their_event_ids() -> None:
    kept = KeptInMemory()
    answer = await sent(
        kept,
        event("e1", "trace-create", id="t", name="chat"),
        event("e2", "generation-create", id="g", traceId="t", model="gpt-4o"),
        event("e3", "generation-update", id="g", traceId="t", output="yes"),
        event("e4", "score-create", id="s", traceId="t", name="quality", value=1, source="EVAL"),
    )
    assert answer == {"successes": [{"id": f"e{n}", "status": 201} for n in range(1, 5)], "errors": []}
    assert sorted(kept.ids()) == ["g", "g", "s", "t"]
    assert set(subjects(kept)) == {"t"}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (event("bad", "trace-create", name="no id"), "body.id is required"),
        (event("bad", "span-create", id="o", traceId="t", level="LOUD"), "level must be one of"),
        (event("bad", "span-create", id="o", traceId="t", startTime="noon"), "startTime must be an ISO 8601 time"),
        (event("bad", "generation-create", id="o", promptName="p"), "promptName and promptVersion"),
        (event("bad", "score-create", traceId="t", name="q"), "value is required"),
        (event("bad", "odd"), "type must be one of"),
        ({"id": "bad", "type": "trace-create", "body": {"id": "t"}}, "timestamp must be"),
        ({"id": "bad", "type": "trace-create", "timestamp": "2026-11-20T12:00:00Z", "body": []}, "body must be"),
    ],
)
async def test_a_bad_event_is_named_and_costs_no_neighbour(bad: dict[str, Any], reason: str) -> None:
    kept = KeptInMemory()
    answer = await sent(kept, bad, event("good", "trace-create", id="t"))
    assert [success["id"] for success in answer["successes"]] == ["good"]
    (error,) = answer["errors"]
    assert (error["id"], error["status"]) == ("bad", 400)
    assert reason in error["error"]
    assert kept.ids() == ["t"]


async def test_an_event_that_is_no_object_is_unknown_by_name() -> None:
    answer = await sent(KeptInMemory(), "odd", None)
    assert [error["id"] for error in answer["errors"]] == ["unknown", "unknown"]


async def test_an_id_that_no_answer_can_carry_is_named_as_well_as_can_be() -> None:
    kept = KeptInMemory()
    answer = await sent(kept, {"id": "odd\ud800", "type": "nothing"}, event("good", "trace-create", id="t"))
    assert [error["id"] for error in answer["errors"]] == ["odd?"]
    assert kept.ids() == ["t"]


async def test_an_empty_batch_is_answered() -> None:
    assert await sent(KeptInMemory()) == {"successes": [], "errors": []}


@pytest.mark.parametrize("body", ["{", "[]", '{"batch": 1}', "{}"])
async def test_what_is_no_batch_is_refused(body: str) -> None:
    assert (await client().post(BATCH, content=body)).status_code == 400


async def test_sdk_logs_are_neither_kept_nor_acknowledged() -> None:
    kept = KeptInMemory()
    assert await sent(kept, event("e1", "sdk-log", log="x")) == {"successes": [], "errors": []}
    assert kept.batches == []


async def test_a_public_key_alone_writes_scores_and_no_more() -> None:
    kept = KeptInMemory()
    batch = [event("e1", "trace-create", id="t"), event("e2", "score-create", id="s", traceId="t", name="q", value=1)]
    response = await client(kept).post(
        BATCH, json={"batch": batch}, headers={"authorization": f"Bearer {KEY}"}, auth=lambda request: request
    )
    assert [error["status"] for error in response.json()["errors"]] == [401]
    assert kept.ids() == ["s"]


async def test_an_update_without_a_trace_joins_the_observation_that_is_stored() -> None:
    kept = KeptInMemory()
    await sent(kept, event("e1", "span-update", id="o", output="x"), stored=StoredInMemory({"o": "t-stored"}))
    assert subjects(kept) == ["t-stored"]


async def test_an_observation_without_a_trace_always_gets_the_same_one() -> None:
    first, second = KeptInMemory(), KeptInMemory()
    await sent(first, event("e1", "span-create", id="o"), event("e2", "span-update", id="o"))
    await sent(second, event("e3", "span-update", id="o"))
    assert len({*subjects(first), *subjects(second)}) == 1


async def test_a_large_batch_is_kept_whole() -> None:
    kept = KeptInMemory()
    events = [event(f"e{n}", "span-create", id=f"o{n}", traceId=f"t{n % 7}", input="x" * 200) for n in range(1200)]
    app = client(kept, settings=IngestSettings(slice_above_bytes=1000))
    answer = (await app.post(BATCH, json={"batch": events})).json()
    assert len(answer["successes"]) == 1200
    assert sorted(kept.ids()) == sorted(f"o{n}" for n in range(1200))


async def test_nothing_is_acknowledged_that_is_not_kept() -> None:
    response = await client(Failing(Overloaded(1.0))).post(BATCH, json={"batch": [event("e1", "trace-create", id="t")]})
    assert response.status_code == 429


@pytest.mark.parametrize(
    ("method", "path", "body", "kept_as"),
    [
        ("POST", "/api/public/traces", {"id": "t", "name": "chat"}, "trace-create"),
        ("POST", "/api/public/spans", {"id": "o", "traceId": "t", "name": "s"}, "span-create"),
        ("PATCH", "/api/public/spans", {"spanId": "o", "output": "x"}, "span-update"),
        ("POST", "/api/public/generations", {"id": "o", "traceId": "t", "prompt": "p"}, "generation-create"),
        ("PATCH", "/api/public/generations", {"generationId": "o", "completion": "c"}, "generation-update"),
        ("POST", "/api/public/events", {"id": "o", "traceId": "t"}, "event-create"),
    ],
)
async def test_the_oldest_requests_are_events_too(method: str, path: str, body: dict[str, Any], kept_as: str) -> None:
    kept = KeptInMemory()
    response = await client(kept).request(method, path, json=body)
    assert response.status_code == 200
    assert response.json() == {"id": kept.ids()[0]}
    (payload,) = kept.batches[0].records["payload"].to_pylist()
    event_kept = json.loads(payload)
    assert event_kept["type"] == kept_as
    assert not {"prompt", "completion", "spanId", "generationId"} & event_kept["body"].keys()


async def test_a_patch_that_names_nothing_is_refused() -> None:
    response: httpx.Response = await client().patch("/api/public/spans", json={"output": "x"})
    assert response.status_code == 400
    assert "spanId" in response.text

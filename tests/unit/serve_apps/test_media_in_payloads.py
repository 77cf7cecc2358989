"""Media in what the doors receive: stored before anything is acknowledged, and replaced by references."""

import json
from base64 import b64encode
from typing import Any

import pytest

from heliograph.domain.errors import Unavailable
from heliograph.domain.media import MediaContent, MediaField, TraceUse, reference
from tests.unit.serve_apps.doors import (
    JSON,
    MEGABYTE,
    PROTOBUF,
    TRACES,
    KeptInMemory,
    MediaInMemory,
    client,
    export,
    span,
    span_id,
)

BATCH = "/api/public/ingestion"
FILE = MediaContent("image/png", b"a picture")
URI = f"data:image/png;base64,{b64encode(FILE.content).decode()}"
REFERENCE = reference("image/png", FILE.id, "base64_data_uri")
TRACE_ID = (b"t" * 16).hex()


def payloads(kept: KeptInMemory) -> bytes:
    return b"".join(payload for batch in kept.batches for payload in batch.records["payload"].to_pylist())


def event(**body: Any) -> dict[str, Any]:
    return {"id": "e", "type": "generation-create", "timestamp": "2026-11-20T12:00:00.000Z", "body": body}


async def test_a_span_is_kept_with_a_reference_to_what_was_stored() -> None:
    kept, media = KeptInMemory(), MediaInMemory()
    body = export(span(1, **{"langfuse.observation.input": f"see {URI}"}), span(2))
    response = await client(kept, media=media).post(TRACES, content=body, headers=PROTOBUF)
    assert response.status_code == 200
    assert media.contents == [FILE]
    assert media.uses == {TraceUse(FILE.id, TRACE_ID, span_id(1), MediaField.INPUT)}
    assert kept.batches[0].observations["input"].to_pylist() == [f"see {REFERENCE}", ""]
    assert URI.encode() not in payloads(kept)


async def test_json_exports_are_searched_too() -> None:
    kept, media = KeptInMemory(), MediaInMemory()
    part = json.dumps({"inline_data": {"mime_type": "image/png", "data": b64encode(FILE.content).decode()}})
    attributes = [{"key": "output", "value": {"stringValue": part}}]
    one = {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "f", "attributes": attributes}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}
    response = await client(kept, media=media).post(TRACES, json=body, headers=JSON)
    assert response.status_code == 200
    assert media.contents == [FILE]
    assert json.loads(kept.batches[0].observations["output"][0].as_py()) == {
        "inline_data": {"mime_type": "image/png", "data": reference("image/png", FILE.id, "bytes")}
    }


async def test_large_exports_are_searched_part_by_part_and_stay_in_order() -> None:
    kept, media = KeptInMemory(), MediaInMemory()
    large = MediaContent("application/pdf", bytes(2 * MEGABYTE))
    uri = f"data:application/pdf;base64,{b64encode(large.content).decode()}"
    spans = [span(number, input=uri if number % 10 == 5 else "plain") for number in range(1, 51)]
    spans[20].trace_id = b"short"
    response = await client(kept, media=media).post(TRACES, content=export(*spans), headers=PROTOBUF)
    assert response.status_code == 200
    assert b"span 20 " in response.content
    assert {one.id for one in media.contents} == {large.id}
    assert len(media.uses) == 5
    assert kept.ids() == [span_id(number) for number in range(1, 51) if number != 21]
    assert len(payloads(kept)) < MEGABYTE


async def test_events_of_a_batch_are_kept_with_references() -> None:
    kept, media = KeptInMemory(), MediaInMemory()
    sent = event(id="o", traceId="t", input=[{"image_url": {"url": URI}}])
    response = await client(kept, media=media).post(BATCH, json={"batch": [sent]})
    assert response.json()["errors"] == []
    assert media.uses == {TraceUse(FILE.id, "t", "o", MediaField.INPUT)}
    assert URI.encode() not in payloads(kept)
    assert REFERENCE in kept.batches[0].observation_parts["fields"][0].as_py()


async def test_single_requests_are_kept_with_references() -> None:
    kept, media = KeptInMemory(), MediaInMemory()
    response = await client(kept, media=media).post("/api/public/traces", json={"id": "t", "metadata": {"image": URI}})
    assert response.status_code == 200
    assert media.uses == {TraceUse(FILE.id, "t", "", MediaField.METADATA)}
    assert REFERENCE.encode() in payloads(kept)


@pytest.mark.parametrize("path", [TRACES, BATCH])
async def test_what_cannot_be_stored_is_not_acknowledged(path: str) -> None:
    kept, media = KeptInMemory(), MediaInMemory(error=Unavailable("The object store", 2.0))
    sent: dict[str, Any] = {"json": {"batch": [event(id="o", traceId="t", input=URI)]}}
    if path == TRACES:
        sent = {"content": export(span(1, input=URI)), "headers": PROTOBUF}
    response = await client(kept, media=media).post(path, **sent)
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert kept.batches == []


async def test_without_a_store_media_stay_where_they_are() -> None:
    kept = KeptInMemory()
    response = await client(kept).post(TRACES, content=export(span(1, input=URI)), headers=PROTOBUF)
    assert response.status_code == 200
    assert kept.batches[0].observations["input"].to_pylist() == [URI]


async def test_the_store_is_not_asked_where_there_are_no_media() -> None:
    kept, media = KeptInMemory(), MediaInMemory(error=AssertionError("asked"))
    spans = [span(1, input="plain"), span(2, input=f'["{REFERENCE}"]')]
    response = await client(kept, media=media).post(TRACES, content=export(*spans), headers=PROTOBUF)
    assert response.status_code == 200
    assert kept.ids() == [span_id(1), span_id(2)]

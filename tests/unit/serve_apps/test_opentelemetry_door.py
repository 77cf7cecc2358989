"""The OTLP doors through their front: statuses, messages, and what is kept."""

import asyncio
import gzip
import json
import zlib

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from heliograph.domain.errors import Overloaded, Unavailable
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.models import Model
from heliograph.settings import IngestSettings
from ingestion.pricing import PriceBook
from tests.unit.serve_apps.doors import (
    GZIP,
    JSON,
    KEY,
    MEGABYTE,
    PROTOBUF,
    SECRET,
    TRACES,
    Failing,
    KeptInMemory,
    KeptWhenReleased,
    KeysInMemory,
    client,
    export,
    span,
    span_id,
    zeros,
)


def message(response: httpx.Response) -> str:
    return str(response.json()["message"])


async def test_protobuf_export_is_kept_and_answered_in_protobuf() -> None:
    kept = KeptInMemory()
    response = await client(kept).post(TRACES, content=export(span(1), span(2)), headers=PROTOBUF)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/x-protobuf"
    assert not ExportTraceServiceResponse.FromString(response.content).HasField("partial_success")
    assert kept.ids() == [span_id(1), span_id(2)]


async def test_json_export_is_kept_and_answered_in_json() -> None:
    kept = KeptInMemory()
    one = {"traceId": "0" * 31 + "1", "spanId": "00000000000000ff", "name": "step", "endTimeUnixNano": "2"}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}
    response = await client(kept).post(TRACES, json=body)
    assert (response.status_code, response.json()) == (200, {})
    assert kept.ids() == ["00000000000000ff"]


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("GZIP", lambda body: gzip.compress(body[:50]) + gzip.compress(body[50:]) + bytes(8)),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("identity", bytes),
    ],
    ids=["gzip", "gzip in two members and padding", "zlib", "raw deflate", "identity"],
)
async def test_encoded_body_is_decoded(encoding: str, encode: object) -> None:
    assert callable(encode)
    kept = KeptInMemory()
    headers = PROTOBUF | {"content-encoding": encoding}
    response = await client(kept).post(TRACES, content=encode(export(span(1, key="text"))), headers=headers)
    assert response.status_code == 200
    assert kept.ids() == [span_id(1)]


async def test_alias_path_and_content_type_parameters_are_accepted() -> None:
    headers = {"content-type": "Application/X-Protobuf; charset=utf-8"}
    response = await client().post("/v1/traces", content=export(span()), headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize(("body", "headers"), [(b"", PROTOBUF), (b"{}", JSON), (b'{"resourceSpans":[]}', JSON)])
async def test_empty_export_is_answered_with_an_empty_message(body: bytes, headers: dict[str, str]) -> None:
    response = await client().post(TRACES, content=body, headers=headers)
    assert response.status_code == 200
    assert response.content in {b"", b"{}"}


async def test_span_with_bad_ids_is_named_and_its_neighbours_are_kept() -> None:
    kept = KeptInMemory()
    bad = span(2)
    bad.trace_id = b"short"
    response = await client(kept).post(TRACES, content=export(span(1), bad, span(3)), headers=PROTOBUF)
    assert response.status_code == 200
    partial = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert partial.rejected_spans == 1
    assert "span 1 ('step 2'): traceId" in partial.error_message
    assert kept.ids() == [span_id(1), span_id(3)]


async def test_partial_success_in_json_has_the_count_as_a_string() -> None:
    spans = [{"traceId": "x", "spanId": "y", "name": "odd"}]
    response = await client().post(TRACES, json={"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
    partial = response.json()["partialSuccess"]
    assert response.status_code == 200
    assert partial["rejectedSpans"] == "1"
    assert "odd" in partial["errorMessage"]


async def test_malformed_protobuf_is_a_400_that_says_so() -> None:
    response = await client().post(TRACES, content=b"\x0a\xff\xff", headers=PROTOBUF)
    assert response.status_code == 400
    assert "protobuf" in message(response)
    assert response.json()["error"] == "InvalidRequestError"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"resourceSpans":{}}', b"\xff", b"[" * 100_000])
async def test_malformed_json_is_a_400_that_says_so(body: bytes) -> None:
    response = await client().post(TRACES, content=body, headers=JSON)
    assert response.status_code == 400
    assert message(response).startswith("The request body cannot be read")


@pytest.mark.parametrize(
    "body",
    [b"plain", gzip.compress(export(span()))[:-9], gzip.compress(export(span())) + b"rest", b""],
    ids=["not gzip", "cut off", "garbage behind", "empty"],
)
async def test_broken_gzip_is_a_400_that_says_so(body: bytes) -> None:
    response = await client().post(TRACES, content=body, headers=PROTOBUF | GZIP)
    assert response.status_code == 400
    assert "gzip" in message(response)


async def test_unknown_encoding_is_a_415_that_names_what_is_known() -> None:
    response = await client().post(TRACES, content=b"", headers=PROTOBUF | {"content-encoding": "br"})
    assert response.status_code == 415
    assert "'br'" in message(response)
    assert response.headers["accept-encoding"] == "gzip, deflate, identity"


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded"])
async def test_wrong_content_type_is_a_400_that_names_the_right_ones(content_type: str) -> None:
    response = await client().post(TRACES, content=export(span()), headers={"content-type": content_type})
    assert response.status_code == 400
    assert response.json()["error"] == "Invalid content type"
    assert "application/x-protobuf or application/json" in message(response)


async def test_body_of_200_megabytes_is_a_413_that_the_client_can_read() -> None:
    response = await client().post(TRACES, content=zeros(200), headers=PROTOBUF)
    assert response.status_code == 413
    assert response.json()["error"] == "PayloadTooLargeError"
    assert str(64 * MEGABYTE) in message(response)


async def test_declared_length_beyond_the_limit_is_a_413() -> None:
    headers = PROTOBUF | {"content-length": str(200 * MEGABYTE)}
    response = await client().post(TRACES, content=zeros(200), headers=headers)
    assert response.status_code == 413


async def test_gzip_bomb_stops_at_the_limit() -> None:
    settings = IngestSettings(max_body_bytes=8 * MEGABYTE)
    bomb = gzip.compress(bytes(100 * MEGABYTE), 1)
    response = await client(settings=settings).post(TRACES, content=bomb, headers=PROTOBUF | GZIP)
    assert response.status_code == 413


async def test_body_without_room_in_flight_is_a_503_and_room_is_given_back() -> None:
    kept = KeptWhenReleased()
    body = export(span(1, text="x" * 1000))
    async with client(kept, settings=IngestSettings(max_in_flight_bytes=1500)) as door:
        first = asyncio.create_task(door.post(TRACES, content=body, headers=PROTOBUF))
        await kept.was_called.wait()
        refused = await door.post(TRACES, content=body, headers=PROTOBUF)
        kept.released.set()
        assert (await first).status_code == 200
        again = await door.post(TRACES, content=body, headers=PROTOBUF)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert "room" in message(refused)
    assert again.status_code == 200


@pytest.mark.parametrize("large", [False, True])
async def test_nothing_is_acknowledged_before_it_is_kept(*, large: bool) -> None:
    kept = KeptWhenReleased()
    settings = IngestSettings(slice_above_bytes=1 if large else MEGABYTE)
    request = asyncio.create_task(
        client(kept, settings=settings).post(TRACES, content=export(span()), headers=PROTOBUF)
    )
    await kept.was_called.wait()
    await asyncio.wait({request}, timeout=0.05)
    assert not request.done()
    kept.released.set()
    assert (await request).status_code == 200


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize(
    ("error", "status", "name", "retry_after"),
    [
        (Overloaded(2.5), 429, "TooManyRequestsError", "3"),
        (Unavailable("The ingestion lane", 0.2), 503, "ServiceUnavailableError", "1"),
    ],
)
async def test_what_cannot_be_kept_is_to_be_sent_again_later(
    *, error: Exception, status: int, name: str, retry_after: str, large: bool
) -> None:
    settings = IngestSettings(slice_above_bytes=1 if large else MEGABYTE)
    response = await client(Failing(error), settings=settings).post(TRACES, content=export(span()), headers=PROTOBUF)
    assert (response.status_code, response.headers["retry-after"]) == (status, retry_after)
    assert response.json() == {"message": str(error), "error": name}


async def test_unforeseen_error_is_a_500_without_its_details() -> None:
    response = await client(Failing(RuntimeError("secret detail"))).post(
        TRACES, content=export(span()), headers=PROTOBUF
    )
    assert response.status_code == 500
    assert response.json() == {"message": "Internal Server Error", "error": "InternalServerError"}


async def test_large_export_is_kept_in_parts_in_order() -> None:
    kept = KeptInMemory()
    bad = span(1701)
    bad.span_id = b""
    spans = [*(span(number) for number in range(1, 1701)), bad, span(1702)]
    settings = IngestSettings(slice_above_bytes=1000)
    response = await client(kept, settings=settings).post(
        TRACES, content=gzip.compress(export(*spans)), headers=PROTOBUF | GZIP
    )
    partial = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert (response.status_code, partial.rejected_spans) == (200, 1)
    assert "span 1700" in partial.error_message
    assert kept.ids() == [span_id(number) for number in range(1, 1703) if number != 1701]
    assert len(kept.batches) == 4


@pytest.mark.parametrize(
    ("auth", "status", "words"),
    [
        ((KEY, "sk-lf-wrong"), 401, "not known here, or its secret is wrong"),
        (("pk-lf-unknown", SECRET), 401, "not known here"),
        (("pk-lf-revoked", SECRET), 401, "pk-lf-revoked was revoked"),
    ],
)
async def test_refused_key_is_a_401_with_a_message_alone(auth: tuple[str, str], status: int, words: str) -> None:
    response = await client().post(TRACES, content=export(span()), headers=PROTOBUF, auth=auth)
    assert response.status_code == status
    assert list(response.json()) == ["message"]
    assert words in message(response)
    assert message(response).endswith("Confirm that you've configured the correct host.")


async def test_key_that_cannot_be_looked_up_is_a_503_and_never_a_401() -> None:
    response = await client(keys=KeysInMemory(is_away=True)).post(TRACES, content=export(span()), headers=PROTOBUF)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert "PostgreSQL" in message(response)


@pytest.mark.parametrize("separator", ["-", "_"])
async def test_sdk_headers_are_kept_as_facts(separator: str) -> None:
    kept = KeptInMemory()
    sent = {"sdk-name": "python", "sdk-version": "5.0.4", "ingestion-version": "4"}
    headers = {f"x-langfuse-{name}".replace("-", separator): value for name, value in sent.items()}
    response = await client(kept).post(TRACES, content=export(span()), headers=PROTOBUF | headers)
    assert response.status_code == 200
    facts = json.loads(kept.batches[0].records["facts"][0].as_py())
    assert facts == {"public_key": KEY, "sdk_name": "python", "sdk_version": "5.0.4", "ingestion_version": "4"}


@pytest.mark.parametrize("version", ["5", "v4", "-1", "4.0", "9" * 5000])
async def test_ingestion_version_that_does_not_exist_is_a_400(version: str) -> None:
    headers = PROTOBUF | {"x-langfuse-ingestion-version": version}
    response = await client().post(TRACES, content=export(span()), headers=headers)
    assert response.status_code == 400
    assert message(response).startswith("x-langfuse-ingestion-version: ")


async def test_metrics_are_accepted_and_dropped() -> None:
    kept = KeptInMemory()
    response = await client(kept).post("/api/public/otel/v1/metrics", content=zeros(100), headers=PROTOBUF)
    assert (response.status_code, response.json()) == (200, {"message": "OK"})
    assert kept.batches == []


async def test_unknown_path_and_wrong_method_are_answered_as_json() -> None:
    missing = await client().post("/api/public/otel/v1/profiles", content=b"")
    wrong = await client().get(TRACES)
    assert (missing.status_code, missing.json()["error"]) == (404, "LangfuseNotFoundError")
    assert (wrong.status_code, wrong.json()["error"]) == (405, "MethodNotAllowedError")


async def test_browsers_of_any_origin_are_allowed() -> None:
    asked = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    preflight = await client().options(TRACES, headers=asked | {"access-control-request-headers": "authorization"})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"


class BooksByProject:
    """Books whose one definition names its project."""

    def of(self, project_id: ProjectId) -> PriceBook:
        return PriceBook([Model(f"model of {project_id}", "m", "^m$")])


class NoBooks:
    """Definitions that were never read."""

    def of(self, project_id: ProjectId) -> PriceBook:
        del project_id
        raise Unavailable("The list of model definitions", 5)


async def test_spans_are_priced_by_the_definitions_of_their_project() -> None:
    kept = KeptInMemory()
    body = export(span(1, **{"gen_ai.request.model": "m"}))
    await client(kept, prices=BooksByProject()).post(TRACES, content=body, headers=PROTOBUF)
    (batch,) = kept.batches
    project_id = batch.observations["project_id"][0].as_py()
    assert batch.observations["model_id"].to_pylist() == [f"model of {project_id}"]


async def test_nothing_is_taken_while_its_price_cannot_be_known() -> None:
    kept = KeptInMemory()
    response = await client(kept, prices=NoBooks()).post(TRACES, content=export(span()), headers=PROTOBUF)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert kept.batches == []

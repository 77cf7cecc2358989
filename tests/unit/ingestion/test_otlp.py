"""The door: decoding both forms, rejecting single spans, cutting into slices, keeping raw records."""

import json

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from heliograph.domain.errors import MalformedPayload, UnsupportedContentType
from heliograph.domain.events import MappedBatch
from ingestion import otlp
from tests.unit.ingestion.spans import CONTEXT, SPAN_ID, TRACE_ID, export, mapped, plain, row, same_rows, span


def json_span(**fields: object) -> dict[str, object]:
    return {
        "traceId": TRACE_ID.hex(), "spanId": SPAN_ID.hex(), "name": "work", "startTimeUnixNano": "1795510371674231596",
        "endTimeUnixNano": "1795510373174231596", "attributes": [], **fields,
    }  # fmt: skip


def json_body(*spans: object) -> bytes:
    scope_spans = [{"scope": {"name": "langfuse-sdk", "version": "5.0.4"}, "spans": list(spans)}]
    return json.dumps({"resourceSpans": [{"scopeSpans": scope_spans}]}).encode()


def decoded_json(body: bytes) -> otlp.MappedExport:
    return otlp.map_export(otlp.decode(body, "application/json; charset=utf-8"), CONTEXT)


def test_protobuf_and_json_give_the_same_rows() -> None:
    attributes = [
        {"key": "langfuse.observation.type", "value": {"stringValue": "tool"}},
        {"key": "count", "value": {"intValue": "7"}},
        {"key": "langfuse.trace.tags", "value": {"arrayValue": {"values": [{"stringValue": "a"}]}}},
    ]
    from_json = decoded_json(json_body(json_span(attributes=attributes, unknownField=1))).batch
    from_protobuf = mapped(span({"langfuse.observation.type": "tool", "count": 7, "langfuse.trace.tags": ["a"]})).batch
    assert plain(from_json.observations) == plain(from_protobuf.observations)


@pytest.mark.parametrize("body", [b"\x0a\x05abc", b"\x0a\x03abc", b"not protobuf at all"])
def test_what_is_not_an_export_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        otlp.decode(body, otlp.PROTOBUF)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not JSON"),
        (b"[]", "resourceSpans"),
        (b'{"resourceSpans": {}}', "resourceSpans is not a list"),
        (json_body(json_span(attributes={"a": 1})), "attributes is not a list"),
        (json_body("text"), "spans[0] is not an object"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_broken_json_structure_is_malformed_and_says_where(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedPayload) as caught:
        otlp.decode(body, otlp.JSON)
    assert reason in str(caught.value)


def test_another_content_type_is_refused() -> None:
    with pytest.raises(UnsupportedContentType):
        otlp.decode(b"", "text/plain")


@pytest.mark.parametrize(("body", "kind"), [(b"", otlp.PROTOBUF), (b"{}", otlp.JSON)])
def test_an_empty_export_is_empty(body: bytes, kind: str) -> None:
    result = otlp.map_export(otlp.decode(body, kind), CONTEXT)
    assert (result.rejected, result.batch.records.num_rows, result.batch.observations.num_rows) == ([], 0, 0)


def test_a_span_with_bad_ids_is_rejected_alone_and_named() -> None:
    result = mapped(span(name="good"), span(span_id=b"abc", name="bad"), span(trace_id=b""), span(name="also good"))
    assert result.batch.observations["name"].to_pylist() == ["good", "also good"]
    assert result.rejected[0] == "span 1 ('bad'): spanId must have 8 bytes, not 3"
    assert "traceId must have 16 bytes" in result.rejected[1]


@pytest.mark.parametrize("trace_id", ["xyz", None, 5, "ab"])
def test_a_json_span_with_a_bad_id_is_rejected_alone(trace_id: object) -> None:
    result = decoded_json(json_body(json_span(traceId=trace_id), json_span(name="good")))
    assert result.batch.observations["name"].to_pylist() == ["good"]
    assert len(result.rejected) == 1


def test_an_unreadable_span_costs_no_neighbour() -> None:
    request = otlp.decode(export([span(name="good")]), otlp.PROTOBUF)
    request.scopes[0].spans.append(b"\xff\xff\xff")
    result = otlp.map_export(request, CONTEXT)
    assert result.batch.observations["name"].to_pylist() == ["good"]
    assert result.rejected == ["span 1: it is not a protobuf Span"]


def test_a_record_holds_exactly_its_span_with_resource_and_scope() -> None:
    sent = [span(name="first"), span({"big": "x" * 100_000}, name="second")]
    records = mapped(*sent, resource={"service.name": "shop"}).batch.records.to_pylist()
    for record, expected in zip(records, sent, strict=True):
        enclosed = ResourceSpans.FromString(record["payload"])
        assert enclosed.resource.attributes[0].value.string_value == "shop"
        assert enclosed.scope_spans[0].scope.name == "langfuse-sdk"
        assert list(enclosed.scope_spans[0].spans) == [expected]
        assert (record["subject"], record["entity_id"]) == (TRACE_ID.hex(), SPAN_ID.hex())


def test_slices_joined_again_are_the_whole() -> None:
    spans = [span({"n": str(number)}, span_id=number.to_bytes(8, "big")) for number in range(23)]
    request = otlp.decode(export(spans) + export(spans[:4], scope=("other", "")), otlp.PROTOBUF)
    whole = otlp.map_export(request, CONTEXT).batch
    parts = list(otlp.slices(request, 5))
    assert [part.span_count for part in parts] == [5, 5, 5, 5, 5, 2]
    joined = MappedBatch.concat([otlp.map_export(part, CONTEXT).batch for part in parts])
    assert same_rows(joined, whole)


def test_a_slice_names_rejected_spans_by_their_number_in_the_request() -> None:
    request = otlp.decode(export([span(), span(), span(span_id=b"")]), otlp.PROTOBUF)
    rejected = [message for part in otlp.slices(request, 2) for message in otlp.map_export(part, CONTEXT).rejected]
    assert [message.split(" (")[0] for message in rejected] == ["span 2"]


def test_times_keep_microseconds_and_an_end_before_the_start_is_the_start() -> None:
    found = row(start_time_unix_nano=1_795_510_371_674_231_596, end_time_unix_nano=5)
    assert found["start_time"].microsecond == 674_231
    assert found["end_time"] == found["start_time"]


def test_missing_times_are_those_that_are_there_or_the_time_of_receipt() -> None:
    assert row(start_time_unix_nano=0)["start_time"].year == 2026
    assert row(start_time_unix_nano=0, end_time_unix_nano=0)["start_time"] == CONTEXT.received_at
    assert row(end_time_unix_nano=0)["end_time"] == row()["start_time"]
    assert row(start_time_unix_nano=2**64 - 1)["start_time"].year == 2149

"""Contract 4.1: ids, values and times as they come over the wire."""

import json
from typing import Any

import pytest

from ingestion import otlp
from tests.unit.ingestion.spans import CONTEXT, SPAN_ID, START, TRACE_ID, plain, row, rows, span

HALVES = {"high": START >> 32, "low": (START & 0xFFFF_FFFF) - 2**32}


def json_row(attributes: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """The row of a span in OTLP's JSON form; attributes are AnyValues."""
    given = {
        "traceId": TRACE_ID.hex(), "spanId": SPAN_ID.hex(), "startTimeUnixNano": str(START),
        "attributes": [{"key": key, "value": value} for key, value in (attributes or {}).items()], **fields,
    }  # fmt: skip
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [given]}]}]}).encode()
    mapped = otlp.map_export(otlp.decode(body, otlp.JSON), CONTEXT)
    return plain(mapped.batch.observations)[0]


@pytest.mark.parametrize(
    "trace_id",
    [
        TRACE_ID.hex(),
        TRACE_ID.hex().upper(),
        list(TRACE_ID),
        {"type": "Buffer", "data": list(TRACE_ID)},
    ],
)
def test_ids_come_as_hex_or_as_bytes(trace_id: object) -> None:
    found = json_row(traceId=trace_id, parentSpanId={"data": list(SPAN_ID)})
    assert (found["trace_id"], found["parent_observation_id"]) == (TRACE_ID.hex(), SPAN_ID.hex())


@pytest.mark.parametrize("start", [str(START), START, HALVES])
def test_times_come_as_text_number_or_two_halves(start: object) -> None:
    assert json_row(startTimeUnixNano=start)["start_time"] == row()["start_time"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"stringValue": "x"}, "x"),
        ({"stringValue": ""}, ""),
        ({"boolValue": False}, "false"),
        ({"intValue": "7"}, "7"),
        ({"intValue": 7}, "7"),
        ({"intValue": {"high": 1, "low": 2}}, str(2**32 + 2)),
        ({"intValue": {"high": -1, "low": -1}}, "-1"),
        ({"doubleValue": 0.5}, "0.5"),
        ({"doubleValue": "0.5"}, "0.5"),
        ({"doubleValue": "NaN"}, "NaN"),
        ({"doubleValue": "Infinity"}, "Infinity"),
        ({"arrayValue": {"values": [{"intValue": 1}, {"arrayValue": {"values": [{"intValue": 2}]}}]}}, "[1,[2]]"),
        ({"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": True}}]}}, '{"a":true}'),
        ({"bytesValue": "AP8="}, "AP8="),
        ({"arrayValue": {"values": [{"bytesValue": "AP8="}, {"kvlistValue": {"values": []}}]}}, '["AP8=",{}]'),
        ({}, ""),
        ({"unknownValue": 1}, '{"unknownValue":1}'),
    ],
)  # fmt: skip
def test_values_are_texts_or_structured_json(value: object, expected: str) -> None:
    assert json_row({"input": value})["input"] == expected


def test_bytes_and_objects_of_protobuf_are_structured_json_too() -> None:
    assert row({"input": {"a": b"\x00\xff", "b": [None, {"c": 1.5}]}})["input"] == '{"a":"AP8=","b":[null,{"c":1.5}]}'


def test_of_a_repeated_key_the_last_value_counts() -> None:
    repeated = span({"user.id": "first"})
    repeated.attributes.extend(span({"user.id": "last"}).attributes)
    assert rows(repeated)[0]["user_id"] == "last"


def test_a_root_has_no_parent() -> None:
    assert row()["parent_observation_id"] == ""
    assert row(parent_span_id=SPAN_ID)["parent_observation_id"] == SPAN_ID.hex()


def test_spans_of_different_shapes_keep_their_places() -> None:
    found = rows(span({"user.id": "a"}), span({"session.id": "s"}), span({"user.id": "b"}), span())
    assert [each["user_id"] for each in found] == ["a", "", "b", ""]
    assert [each["session_id"] for each in found] == ["", "s", "", ""]

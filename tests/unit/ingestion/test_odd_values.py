"""Nothing that an attribute holds costs a span."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ingestion import otlp, replay, wire
from ingestion.pricing import managed_prices
from tests.unit.ingestion.odd_values import KEYS, any_values, json_values, scopes, spans
from tests.unit.ingestion.spans import CONTEXT, export, mapped, row, same_rows, span


@settings(max_examples=150, deadline=None)
@given(st.lists(spans, min_size=1, max_size=4), scopes)
def test_every_span_is_kept_and_a_replay_gives_the_same_rows(found: list[Span], scope: tuple[str, str]) -> None:
    result = mapped(*found, scope=scope)
    assert result.rejected == []
    assert result.batch.observations.num_rows == result.batch.records.num_rows == len(found)
    for table in result.batch.row_tables:
        table.validate(full=True)
    assert same_rows(replay.map_records(result.batch.records, prices=managed_prices()), result.batch)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), any_values, max_size=6), json_values, json_values)
def test_every_json_span_with_valid_ids_is_kept(found: dict[str, Any], name: object, time: object) -> None:
    pairs = [{"key": key, "value": value} for key, value in found.items()]
    one = {"traceId": "0" * 32, "spanId": "1" * 16, "name": name, "startTimeUnixNano": time, "attributes": pairs}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}).encode()
    result = otlp.map_export(otlp.decode(body, otlp.JSON), CONTEXT)
    assert (result.rejected, result.batch.observations.num_rows) == ([], 1)
    result.batch.observations.validate(full=True)


@pytest.mark.parametrize("field", ["kind", "flags", "status"])
@pytest.mark.parametrize("value", [True, -1, 2**40, 1.5, float("nan"), "odd", [], None])
def test_a_json_span_whose_numbers_are_something_else_is_kept(field: str, value: object) -> None:
    odd = {"status": {"code": value}} if field == "status" else {field: value}
    one = {"traceId": "0" * 32, "spanId": "1" * 16, **odd}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}).encode()
    assert otlp.map_export(otlp.decode(body, otlp.JSON), CONTEXT).batch.observations.num_rows == 1


def test_invalid_utf8_is_replaced() -> None:
    body = export([span({"user.id": "PLACEHOLDER", "langfuse.observation.input": "x"}), span({"user.id": "fine"})])
    result = otlp.map_export(otlp.decode(body.replace(b"PLACEHOLDER", b"\xff\xfeACEHOLDER"), otlp.PROTOBUF), CONTEXT)
    assert result.batch.observations["user_id"].to_pylist() == ["\ufffd\ufffdACEHOLDER", "fine"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, b"\x00\xff"], "b": None}, '{"a":[1,"AP8="],"b":null}'),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (b"\x01", "AQ=="),
        (2**62, str(2**62)),
        ("nul \x00 is kept", "nul \x00 is kept"),
    ],
)
def test_values_of_other_types_become_text(value: object, expected: str) -> None:
    assert row({"langfuse.observation.input": value})["input"] == expected


def test_values_nested_without_end_are_kept_as_text() -> None:
    value = wire.field(1, b"core")
    for _ in range(3_000):
        value = wire.field(5, wire.field(1, value))
    request = otlp.decode(export([span()]), otlp.PROTOBUF)
    pair = wire.field(1, b"langfuse.observation.input") + wire.field(2, value)
    request.scopes[0].spans[0] += wire.field(9, pair)
    found = otlp.map_export(request, CONTEXT).batch.observations["input"][0].as_py()
    assert found.startswith("[[[")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 20_000 + "1" + "}" * 20_000])
def test_json_nested_without_end_is_kept_as_text(text: str) -> None:
    keys = ("input", "output", "usage_details", "cost_details", "metadata", "model.parameters", "prompt.name")
    found = row({f"langfuse.observation.{key}": text for key in keys} | {"langfuse.trace.tags": text})
    assert (found["input"], found["metadata"]["metadata"]) == (text, text)


@pytest.mark.parametrize("size", [1, 120, 125, 126, 127, 128, 129, 16_370, 16_380, 16_390, 70_000, 2_100_000])
def test_texts_of_every_length_arrive_whole(size: int) -> None:
    text = "a" * size
    long_key = "k" * 200
    found = row({"langfuse.observation.input": text, f"langfuse.observation.metadata.{long_key}": text})
    assert found["input"] == text
    assert found["metadata"][long_key] == text


def test_usage_and_cost_are_clamped_to_what_columns_hold() -> None:
    usage = json.dumps({"input": 2**70, "output": 2**63})
    found = row({"langfuse.observation.usage_details": usage, "langfuse.observation.model.name": "gpt-4o"})
    assert found["usage_details"]["input"] == found["total_tokens"] == 2**64 - 1
    assert str(found["total_cost"]) == "999999.999999999999"


def test_an_attribute_that_is_no_key_value_is_kept_as_text() -> None:
    request = otlp.decode(export([span({"user.id": "u"})]), otlp.PROTOBUF)
    raw = request.scopes[0].spans[0]
    request.scopes[0].spans[0] = raw + b"\x4a\x02\xff\xff"
    result = otlp.map_export(request, CONTEXT)
    assert result.rejected == []
    assert result.batch.observations["user_id"].to_pylist() == ["u"]

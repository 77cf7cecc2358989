"""OTLP logs decoded: which records are GenAI events, and what each says."""

import json
from dataclasses import replace

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from heliograph.domain.errors import MalformedPayload
from ingestion import logs, otlp, replay
from ingestion.batch import mapping
from ingestion.pricing import managed_prices
from tests.unit.ingestion.logs import export, record
from tests.unit.ingestion.masking_rules import expression, masker
from tests.unit.ingestion.spans import CONTEXT, SPAN_ID, START, TRACE_ID, same_rows

CHOICE = record("gen_ai.choice", {"index": 0, "message": {"role": "assistant", "content": "Paris"}})


def said(*records: LogRecord) -> list[tuple[str, object]]:
    """Side and content of what the events say, in their order."""
    found = [event.body for event in logs.decode(export(*records), otlp.PROTOBUF).events]
    return [(side, body[side]) for body in found for side in ("input", "output") if side in body]


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool"])
def test_a_message_belongs_to_the_input_with_its_role(role: str) -> None:
    found = said(record(f"gen_ai.{role}.message", {"content": "hi", "id": "call_1"}, {"gen_ai.system": "openai"}))

    assert found == [("input", {"role": role, "content": "hi", "id": "call_1"})]


def test_a_choice_belongs_to_the_output() -> None:
    assert said(CHOICE) == [("output", {"index": 0, "message": {"role": "assistant", "content": "Paris"}})]


def test_one_event_with_all_details_gives_both_sides() -> None:
    attributes = {
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "hello"}]}],
    }

    found = dict(said(record("gen_ai.client.inference.operation.details", None, attributes)))

    assert found["input"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
    ]
    assert found["output"] == [{"role": "assistant", "parts": [{"type": "text", "content": "hello"}]}]


def test_an_event_that_only_an_attribute_names_counts_as_well() -> None:
    found = said(record("", {"content": "hi"}, {"event.name": "gen_ai.user.message"}))

    assert found == [("input", {"role": "user", "content": "hi"})]


@pytest.mark.parametrize(
    "other",
    [
        record("", "a line of text"),
        record("exception", {"content": "hi"}),
        record("gen_ai.user.message", {"content": "hi"}, span_id=b""),
        record("gen_ai.user.message", {"content": "hi"}, trace_id=b"short"),
        record("gen_ai.choice"),
    ],
    ids=["plain", "other event", "without a span", "broken trace id", "says nothing"],
)
def test_other_records_are_counted_and_cost_no_neighbour(other: LogRecord) -> None:
    decoded = logs.decode(export(other, CHOICE), otlp.PROTOBUF)

    assert (len(decoded.events), decoded.others) == (1, 1)


def test_json_says_the_same_as_protobuf() -> None:
    binary = export(record("gen_ai.user.message", {"content": "hi", "n": [1, True]}), CHOICE)
    body = MessageToDict(ExportLogsServiceRequest.FromString(binary))
    for one in body["resourceLogs"][0]["scopeLogs"][0]["logRecords"]:
        one |= {"traceId": TRACE_ID.hex(), "spanId": SPAN_ID.hex()}

    assert logs.decode(json.dumps(body).encode(), otlp.JSON) == logs.decode(binary, otlp.PROTOBUF)


def test_json_that_is_no_export_of_logs_is_refused() -> None:
    with pytest.raises(MalformedPayload, match="resourceLogs"):
        logs.decode(b"[]", otlp.JSON)


def test_a_record_names_its_span_and_its_time() -> None:
    (event,) = logs.decode(export(CHOICE), otlp.PROTOBUF).events

    assert (event.trace_id, event.entity_id, event.stamped_at) == (TRACE_ID.hex(), SPAN_ID.hex(), START // 1_000)


def test_a_record_without_a_time_takes_the_time_of_its_observation() -> None:
    sent = record("gen_ai.choice", {"index": 0}, time_unix_nano=0, observed_time_unix_nano=START)

    (event,) = logs.decode(export(sent), otlp.PROTOBUF).events

    assert event.stamped_at == START // 1_000


def test_a_replay_maps_the_records_to_the_same_parts() -> None:
    batch = mapping.map_events(logs.decode(export(CHOICE), otlp.PROTOBUF).events, CONTEXT)

    assert same_rows(batch, replay.map_records(batch.records, prices=managed_prices()))


def test_what_logs_say_is_masked() -> None:
    context = replace(CONTEXT, masker=masker(expression("Paris|at|order|whole")))

    batch = mapping.map_events(logs.decode(export(CHOICE), otlp.PROTOBUF).events, context)

    assert b"[hidden]" in batch.records["payload"][0].as_py()
    assert "Paris" not in batch.observation_parts["fields"][0].as_py()

"""Payloads too large for rows leave a preview with a mark, and come back whole."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from heliograph.domain.events import IngestionFacts, MappedBatch
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.oversized import PREVIEW_CHARACTERS, mark_of
from ingestion import replay
from ingestion.batch import events, observations
from ingestion.batch.mapping import map_events
from ingestion.merge import merge_parts
from ingestion.otlp import MappingContext
from ingestion.oversized import put_back, taken_out
from ingestion.pricing import managed_prices
from tests.unit.ingestion.spans import TRACE_ID, mapped, same_rows, span

_MAX = 20_000
_LONG = "лong " * 10_000


def contents(payloads: list[Any]) -> dict[str, str]:
    return {payload.digest: payload.content.decode() for payload in payloads}


def batch_of(**body: Any) -> MappedBatch:
    event = {
        "id": "e", "type": "generation-create", "timestamp": "2026-11-24T09:00:00Z",
        "body": {"id": "g", "traceId": "t", **body},
    }  # fmt: skip
    decoded = events.decode(json.dumps({"batch": [event]}).encode())
    assert not decoded.errors
    context = MappingContext(ProjectId("p"), IngestionFacts(), datetime(2026, 11, 24, tzinfo=UTC))
    return map_events(decoded.events, context)


def composed(batch: MappedBatch) -> dict[str, Any]:
    parts = batch.observation_parts
    (fields,), (stamp,) = parts["fields"].to_pylist(), parts["stamp_id"].to_pylist()
    state = merge_parts({}, observations.parts_of(fields, 1, stamp))
    merged = observations.MergedObservation("p", "t", "g", state)
    (row,) = observations.rows([merged], managed_prices()).to_pylist(maps_as_pydicts="strict")
    return dict(row)


@pytest.mark.parametrize("key", ["input", "output"])
def test_a_long_payload_of_a_span_leaves_a_preview_with_a_mark(key: str) -> None:
    batch = mapped(span({f"langfuse.observation.{key}": _LONG})).batch
    lightened, payloads = taken_out(batch, _MAX)
    (text,) = lightened.observations[key].to_pylist()
    assert len(text) < PREVIEW_CHARACTERS + 200
    assert text.startswith(_LONG[:PREVIEW_CHARACTERS])
    (payload,) = payloads
    assert (payload.project_id, payload.trace_id) == ("project", TRACE_ID.hex())
    assert mark_of(text) == (payload.digest, len(_LONG.encode()), False)
    assert put_back(text, contents(payloads)) == _LONG


def test_long_metadata_of_a_span_leaves_the_observation_and_its_trace() -> None:
    batch = mapped(span({"langfuse.trace.metadata.long": _LONG, "langfuse.observation.metadata.short": "s"})).batch
    lightened, payloads = taken_out(batch, _MAX)
    (row,) = lightened.observations.to_pylist(maps_as_pydicts="strict")
    assert row["metadata"]["short"] == "s"
    for name in ("metadata", "trace_metadata"):
        assert len(row[name]["long"]) < PREVIEW_CHARACTERS + 200
        assert put_back(row[name]["long"], contents(payloads)) == _LONG
    assert len(payloads) == 1


def test_payloads_of_ordinary_size_are_left_as_they_are() -> None:
    batch = mapped(span({"langfuse.observation.input": "x" * _MAX}), span({"input": "y"})).batch
    assert taken_out(batch, _MAX) == (batch, [])


def test_the_records_keep_the_whole_and_a_replay_gives_the_same_row() -> None:
    batch = mapped(span({"langfuse.observation.input": _LONG, "langfuse.trace.input": _LONG})).batch
    lightened, payloads = taken_out(batch, _MAX)
    again, repeated = taken_out(replay.map_records(lightened.records, prices=managed_prices()), _MAX)
    assert same_rows(again, lightened)
    assert repeated == payloads


def test_long_payloads_of_events_leave_their_parts() -> None:
    nested = {"deep": {"deeper": _LONG, "list": [1, _LONG]}, "short": 1}
    lightened, payloads = taken_out(batch_of(input={"q": _LONG}, metadata=nested), _MAX)
    assert lightened.observation_parts.nbytes < 40_000
    row = composed(lightened)
    whole = contents(payloads)
    assert json.loads(put_back(row["input"], whole)) == {"q": _LONG}
    assert json.loads(put_back(row["metadata"]["deep"], whole)) == nested["deep"]
    assert row["metadata"]["short"] == "1"


def test_a_long_text_in_metadata_of_an_event_comes_back_as_it_was() -> None:
    lightened, payloads = taken_out(batch_of(metadata={"log": _LONG}), _MAX)
    assert put_back(composed(lightened)["metadata"]["log"], contents(payloads)) == _LONG


def test_a_preview_whose_whole_is_gone_stays() -> None:
    lightened, _ = taken_out(mapped(span({"langfuse.observation.input": _LONG})).batch, _MAX)
    (text,) = lightened.observations["input"].to_pylist()
    assert put_back(text, {}) == text


def test_a_text_that_only_looks_like_a_mark_is_a_text() -> None:
    for text in ("@@@", "a@@@heliographPayload:type=text|bytes=1|sha256=0@@@", "x" * 10 + "@@@langfuseMedia:id=1@@@"):
        assert mark_of(text) is None
        assert put_back(text, {"0": "other"}) == text

"""What is too long is cut with a mark, what is too deep is kept as text, and no neighbour is lost."""

import json
from typing import Any

import pytest

from heliograph.domain.events import MappedBatch
from ingestion import lengths, replay, scores, values
from ingestion.batch import events
from ingestion.batch.mapping import map_events
from ingestion.otlp_json import to_protobuf
from ingestion.pricing import managed_prices
from tests.unit.ingestion.spans import CONTEXT, mapped, same_rows, span

_LONG = "n" * 5_000
_OF_SPANS = {
    "langfuse.trace.name": "trace_name",
    "user.id": "user_id",
    "session.id": "session_id",
    "langfuse.release": "release",
    "langfuse.version": "version",
    "gen_ai.request.model": "provided_model_name",
}


def nested(depth: int) -> str:
    return "[" * depth + "1" + "]" * depth


def event(number: int, kind: str, **body: Any) -> dict[str, Any]:
    return {"id": f"e{number}", "type": kind, "timestamp": "2026-11-24T09:00:00Z", "body": body}


def rows_of(*sent: dict[str, Any]) -> MappedBatch:
    decoded = events.decode(json.dumps({"batch": sent}).encode())
    assert not decoded.errors
    return map_events(decoded.events, CONTEXT)


@pytest.mark.parametrize("key", _OF_SPANS)
def test_a_long_text_of_a_span_is_cut_and_its_neighbour_is_not(key: str) -> None:
    rows = mapped(span({key: _LONG}), span({key: "short"}), scope=("any", "1")).batch.observations
    cut, short = rows[_OF_SPANS[key]].to_pylist()
    limit = lengths.LIMITS[_OF_SPANS[key]]
    assert len(cut) == limit
    assert cut.startswith("nnnn")
    assert cut.endswith(f"…[5000 characters, {cut[-9:-1]}]")
    assert short == "short"


def test_a_text_that_all_spans_share_is_cut_too() -> None:
    batch = mapped(span(name=_LONG), span(name=_LONG), resource={"service.name": _LONG}).batch
    for name in ("name", "service_name"):
        assert {len(text) for text in batch.observations[name].to_pylist()} == {lengths.LIMITS[name]}


def test_tags_and_metadata_keys_are_cut() -> None:
    attributes = {"langfuse.trace.tags": ["short", _LONG], f"langfuse.observation.metadata.{_LONG}": "value"}
    (row,) = mapped(span(attributes)).batch.observations.to_pylist(maps_as_pydicts="strict")
    assert [len(tag) for tag in row["tags"]] == [5, lengths.ID]
    assert {len(key) for key, value in row["metadata"].items() if value == "value"} == {lengths.KEY}


def test_texts_that_differ_behind_the_cut_stay_different() -> None:
    rows = mapped(span({"session.id": _LONG + "1"}), span({"session.id": _LONG + "2"})).batch.observations
    assert len(set(rows["session_id"].to_pylist())) == 2


def test_long_texts_of_events_are_cut_but_a_traces_name_is_refused() -> None:
    batch = rows_of(event(1, "trace-create", id="t", userId=_LONG, tags=[_LONG], metadata={_LONG: 1}))
    fields = batch.trace_parts["field"].to_pylist()
    assert max(map(len, fields)) < 900
    values_ = dict(zip(fields, batch.trace_parts["value"].to_pylist(), strict=True))
    assert len(values_["user_id"]) == lengths.ID
    refused = events.decode(json.dumps({"batch": [event(1, "trace-create", id="t", name=_LONG)]}).encode())
    assert [error.id for error in refused.errors] == ["e1"]


def test_a_replay_cuts_the_same() -> None:
    batch = rows_of(event(1, "span-create", id="s", traceId="t", name=_LONG, statusMessage="m" * 40_000))
    assert same_rows(replay.map_records(batch.records, prices=managed_prices()), batch)


def test_scores_are_cut() -> None:
    body = json.dumps([{"name": _LONG, "value": "v", "traceId": "t", "comment": "c" * 40_000}]).encode()
    (row,) = scores.map_scores(scores.decode(body).bodies, CONTEXT).scores.to_pylist()
    assert len(row["name"]) == lengths.NAME
    assert len(row["comment"]) == lengths.MESSAGE


@pytest.mark.parametrize("depth", [100, 300, 600, 900, 1_000, 1_020, 5_000, 100_000])
def test_an_event_of_any_depth_costs_no_neighbour(depth: int) -> None:
    body = json.dumps({"batch": [event(1, "span-create", id="s", traceId="t", input="DEEP", metadata={"a": "DEEP"}),
                                 event(2, "score-create", id="q", traceId="t", name="q", value=1, metadata="DEEP"),
                                 event(3, "span-create", id="n", traceId="t", input="neighbour")]})  # fmt: skip
    decoded = events.decode(body.replace('"DEEP"', nested(depth)).encode())
    assert [found.id for found in decoded.events] == ["e1", "e2", "e3"]
    batch = map_events(decoded.events, CONTEXT)
    assert batch.records.num_rows == 3
    assert same_rows(replay.map_records(batch.records, prices=managed_prices()), batch)


@pytest.mark.parametrize("depth", [50, 300, 900, 1_000, 5_000])
def test_an_attribute_of_any_depth_costs_no_neighbour_in_json(depth: int) -> None:
    value = '{"arrayValue":{"values":[' * depth + '{"stringValue":"x"}' + "]}}" * depth
    attributes = ('{"key":"k","value":' + value + "}", "")
    spans = [
        f'{{"traceId":"{1:032x}","spanId":"{number:016x}","name":"neighbour {number}","attributes":[{attribute}]}}'
        for number, attribute in enumerate(attributes, 1)
    ]
    body = '{"resourceSpans":[{"scopeSpans":[{"spans":[' + ",".join(spans) + "]}]}]}"
    assert b"neighbour 2" in to_protobuf(body.encode())


def test_what_lies_too_deep_is_kept_as_text() -> None:
    deep = nested(5_000)
    found: Any = values.from_body(('{"a":' + deep + ',"b":"]}{[\\"","c":[{}]}').encode())
    assert (found["b"], found["c"]) == (']}{["', [{}])
    inner = found["a"]
    while isinstance(inner, list):
        (inner,) = inner
    assert isinstance(inner, str)
    assert inner.count("[") > 4_000


def test_writing_json_of_any_depth_succeeds() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    assert values.TOO_DEEP in values.to_json(value)

"""Payloads that nobody sends on purpose, each with a plain neighbour in it, as Hypothesis draws them."""

import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ingestion import wire
from tests.unit.ingestion.odd_values import KEYS, any_values, json_values, scopes, spans
from tests.unit.ingestion.spans import span

Json = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

OTLP, BATCH = "/api/public/otel/v1/traces", "/api/public/ingestion"
PROTOBUF, JSON = "application/x-protobuf", "application/json"
LEVELS = 10_000
_DEEP = '"$deep$"'
_SURROGATE = "\ud800"
_IDS, _TIMES = ("traceId", "spanId"), ("startTimeUnixNano", "endTimeUnixNano")
_OTHERS = ("name", "kind", "flags", "traceState", "parentSpanId", "droppedAttributesCount", "unknown")
_FLAWS = (*[""] * 12, *["trace_id", "span_id", "times"] * 2, "deep")
_PLAIN = {"langfuse.observation.input": "plain"}
# An observation that a batch sets: what is missing, or no id at all, must cost itself alone.
_TYPES = (
    *("trace-create", "span-create", "span-update", "generation-create", "generation-update", "event-create"),
    *("agent-create", "tool-create", "embedding-create", "observation-create", "observation-update", "score-create"),
    *("sdk-log", "unheard-of", "", None, 5),
)  # fmt: skip
_OBSERVED = frozenset(_TYPES[1:11])

odd_times: st.SearchStrategy[Any] = st.sampled_from(
    ["-5", -5, -(10**30), 10**40, 2**63, 2**64, "1e400", float("nan"), None, True, "", "never", [], {}, "1970-01-01",
     "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-28T10:00:00.123456789+14:00", 1_795_000_000_000]
)  # fmt: skip
odd_texts = st.sampled_from(["$deep$", _SURROGATE, "\x00", f"a\x00{_SURROGATE}b", "\u202e", "a" * 2_000])
odd_numbers = st.sampled_from([10**400, -(10**400), 2**64, float("nan"), float("inf"), -0.0, 1e308])
odd = st.one_of(json_values, odd_texts, odd_numbers, odd_times)
_odd_event = st.fixed_dictionaries({"name": odd, "timeUnixNano": odd_times, "attributes": st.just([{"key": "k"}])})
# What is no list where OTLP has one is refused as a whole, as the contract says.
odd_parts = st.fixed_dictionaries(
    {},
    optional={
        "status": st.dictionaries(st.sampled_from(["code", "message"]), odd),
        "events": st.lists(_odd_event, max_size=2),
        "links": st.lists(st.dictionaries(st.sampled_from([*_IDS, "traceState"]), odd), max_size=2),
    },
)


@dataclass(frozen=True)
class Payload:
    """A request, and what of it has to be readable.

    Attributes:
        ids: the observations that have to be stored if the request is accepted, the neighbour's among them.
        events: of a batch, the observation of each event that has to be stored if this event is accepted.
        flawed: how many spans may be rejected.
        is_sound: whether it must be accepted: it is what it claims to be.
    """

    kind: str
    path: str
    content_type: str
    body: bytes
    ids: frozenset[str] = frozenset()
    events: Mapping[str, str] = field(default_factory=dict)
    flawed: int = 0
    is_sound: bool = True


class Ids:
    """Ids that no other run uses."""

    def __init__(self) -> None:
        self._run = os.urandom(4)
        self._numbers = itertools.count(1)

    def span(self) -> bytes:
        """Eight bytes."""
        return self._run + next(self._numbers).to_bytes(4, "big")

    def trace(self) -> bytes:
        """Sixteen bytes."""
        return self._run + bytes(8) + next(self._numbers).to_bytes(4, "big")


def payloads(number: int, number_of_seed: int) -> Iterator[Payload]:
    """So many, in turn as protobuf, as JSON, as a batch of events, and damaged.

    Hypothesis draws them; the same seed gives the same payloads, but for their ids.
    """
    ids = Ids()
    kinds = (_protobuf, _json, _batch, _damaged)
    shares = [number // len(kinds) + (place < number % len(kinds)) for place in range(len(kinds))]
    for draw, share in zip(kinds, shares, strict=True):
        yield from _drawn(draw, ids, share, number_of_seed)


def _drawn(make: Callable[[Draw, Ids], Payload], ids: Ids, number: int, number_of_seed: int) -> Sequence[Payload]:
    found: list[Payload] = []

    @seed(number_of_seed)
    @settings(
        max_examples=number, phases=[Phase.generate], database=None, deadline=None, derandomize=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def collect(data: st.DataObject) -> None:
        found.append(make(data.draw, ids))

    while len(found) < number:
        collect()
        number_of_seed += 1
    return found[:number]


def _protobuf(draw: Draw, ids: Ids) -> Payload:
    found = [span(_PLAIN), *draw(st.lists(spans, min_size=1, max_size=3))]
    kept, raws, flawed = set(), [], 0
    for place, one in enumerate(found):
        one.trace_id, one.span_id = ids.trace(), ids.span()
        flaw = draw(st.sampled_from(_FLAWS)) if place else ""
        raw = _flawed(one, flaw)
        raws.append(raw)
        if flaw in {"trace_id", "span_id"}:
            flawed += 1
        else:
            kept.add(one.span_id.hex())
    name, version = draw(scopes)
    scope = wire.field(1, InstrumentationScope(name=name, version=version).SerializeToString())
    body = wire.field(1, wire.field(2, scope + b"".join(wire.field(2, raw) for raw in raws)))
    return Payload("protobuf", OTLP, PROTOBUF, body, frozenset(kept), flawed=flawed)


def _flawed(one: Span, flaw: str) -> bytes:
    if flaw in {"trace_id", "span_id"}:
        setattr(one, flaw, b"" if one.start_time_unix_nano % 2 else b"short")
    if flaw == "times":
        one.start_time_unix_nano, one.end_time_unix_nano = 2**64 - 1, 0
    return one.SerializeToString() + (_deep_attribute() if flaw == "deep" else b"")


def _deep_attribute(known: list[bytes] = []) -> bytes:  # noqa: B006 - built once
    if not known:
        value = wire.field(1, b"core")
        for _ in range(LEVELS):
            value = wire.field(5, wire.field(1, value))
        known.append(wire.field(9, wire.field(1, b"langfuse.observation.input") + wire.field(2, value)))
    return known[0]


def _json(draw: Draw, ids: Ids) -> Payload:
    items: list[Json] = [_json_span(ids, attributes=[{"key": "k", "value": {"stringValue": "plain"}}])]
    kept, flawed = {str(items[0]["spanId"])}, 0
    for _ in range(draw(st.integers(1, 3))):
        attributes = draw(st.dictionaries(st.sampled_from(KEYS), any_values | odd, max_size=5))
        one = _json_span(ids, attributes=[{"key": key, "value": value} for key, value in attributes.items()])
        one |= draw(st.dictionaries(st.sampled_from(_OTHERS), odd, max_size=2))
        one |= draw(st.dictionaries(st.sampled_from(_TIMES), odd_times, max_size=2))
        one |= draw(odd_parts)
        missing = draw(st.sampled_from(["", "", "", *_IDS]))
        if missing:
            one[missing] = draw(st.sampled_from([None, "", "zz", 5, [], "00" * 40]))
            flawed += 1
        else:
            kept.add(str(one["spanId"]))
        items.append(one)
    resource = {"attributes": [{"key": "service.name", "value": draw(any_values)}]}
    request = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": draw(st.permutations(items))}]}]}
    return Payload("json", OTLP, JSON, _text(draw, request), frozenset(kept), flawed=flawed)


def _json_span(ids: Ids, **others: object) -> Json:
    times = {"startTimeUnixNano": "1795510371674231596", "endTimeUnixNano": "1795510372674231596"}
    return {"traceId": ids.trace().hex(), "spanId": ids.span().hex(), "name": "work", **times, **others}


def _text(draw: Draw, request: Json) -> bytes:
    """JSON with what no dictionary holds: keys twice, and ten thousand levels."""
    text = json.dumps(request)
    if draw(st.booleans()):
        text = text.replace('"key": ', '"key": {"a": 1}, "key": ').replace('"name": ', '"name": "first", "name": ')
    opening, closing = draw(st.sampled_from([("[", "]"), ('{"a":', "}"), ('{"arrayValue":{"values":[', "]}}")]))
    return text.replace(_DEEP, opening * LEVELS + "1" + closing * LEVELS).encode()


def _batch(draw: Draw, ids: Ids) -> Payload:
    neighbour = _event(ids, "span-create", {"startTime": "2026-11-28T10:00:00Z", "input": "plain"})
    batch: list[Any] = [neighbour]
    stored = {str(neighbour["id"]): str(neighbour["body"]["id"])}
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(_TYPES))
        names = ["name", "input", "output", "metadata", "startTime", "endTime", "level", "usage", "usageDetails",
                 "costDetails", "model", "modelParameters", "statusMessage", "version", "environment", "tags", "public",
                 "userId", "sessionId", "completionStartTime", "parentObservationId", "value", "dataType"]  # fmt: skip
        event = _event(ids, kind, draw(st.dictionaries(st.sampled_from(names), odd, max_size=5)))
        missing = draw(st.sampled_from(["", "", "", "event id", "body id", "trace id", "timestamp", "body"]))
        _spoil(event, missing, draw)
        batch.append(event)
        if missing not in {"event id", "body id", "body"} and kind in _OBSERVED:
            stored[str(event["id"])] = str(event["body"]["id"])
    if draw(st.booleans()):
        batch.append(draw(odd))
    body = _text(draw, {"batch": draw(st.permutations(batch)), "metadata": draw(json_values)})
    return Payload("batch", BATCH, JSON, body, frozenset([str(neighbour["body"]["id"])]), stored)


def _event(ids: Ids, kind: object, body: Json) -> Json:
    own = {"id": ids.span().hex(), "traceId": ids.trace().hex()}
    return {"id": ids.span().hex(), "type": kind, "timestamp": "2026-11-28T10:00:00.000Z", "body": {**own, **body}}


def _spoil(event: Json, missing: str, draw: Draw) -> None:
    value = draw(st.sampled_from([None, "", 5, [], "\x00", _SURROGATE, "x" * 900]))
    if missing == "event id":
        event["id"] = value
    elif missing == "body id":
        event["body"]["id"] = value
    elif missing == "trace id":
        event["body"].pop("traceId")
    elif missing == "timestamp":
        event["timestamp"] = draw(odd_times)
    elif missing == "body":
        event["body"] = draw(odd)


def _damaged(draw: Draw, ids: Ids) -> Payload:
    whole: Payload = draw(st.sampled_from([_protobuf, _json, _batch]))(draw, ids)
    body, damage = bytearray(whole.body), draw(st.sampled_from(["cut", "byte", "noise", "type"]))
    if damage == "cut":
        del body[draw(st.integers(0, len(body))) :]
    elif damage == "byte":
        for place in draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=4)):
            body[place] = draw(st.integers(0, 255))
    elif damage == "noise":
        body = bytearray(draw(st.binary(max_size=200)))
    content_type = draw(st.sampled_from([PROTOBUF, JSON])) if damage == "type" else whole.content_type
    return Payload(f"damaged {whole.kind}", whole.path, content_type, bytes(body), is_sound=False)

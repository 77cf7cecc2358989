"""OTLP logs: those that carry GenAI events tell what an observation was asked and what it answered."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from ingestion import otlp, otlp_json, values, wire
from ingestion.attributes import events, io
from ingestion.attributes.group import Frame, frame_of
from ingestion.batch import gen_ai_events
from ingestion.batch.events import Event, event_of
from ingestion.values import Value

_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8
_NAME_KEY = b"event.name"
_NANOSECONDS = 1_000


@dataclass(frozen=True)
class DecodedLogs:
    """The GenAI events among the records of an export, and how many records were none."""

    events: list[Event]
    others: int


def decode(body: bytes, content_type: str) -> DecodedLogs:
    """The logs in a request body, protobuf or JSON.

    Raises:
        UnsupportedContentType: it is declared to be neither.
        MalformedPayload: it is not an export of logs. A single bad record is no reason.
    """
    export = otlp.decode(body, content_type, otlp_json.LOGS)
    records = [
        (record, frame_of(scope.resource, scope.scope))
        for scope in export.scopes
        for record in map(_record, scope.spans)
    ]
    found = list(_events((record, frame) for record, frame in records if record is not None))
    return DecodedLogs(found, len(records) - len(found))


def _record(raw: bytes) -> Any:  # a generated message
    try:
        return wire.LogRecord.FromString(raw)
    except DecodeError:
        return None


def _events(records: Iterator[tuple[Any, Frame]]) -> Iterator[Event]:
    seen: Counter[tuple[bytes, int]] = Counter()
    for record, frame in records:
        said = _said(record, frame)
        if said is None:
            continue
        name, pair = said
        at = record.time_unix_nano or record.observed_time_unix_nano
        # Clocks are coarse: the order of a client's records tells what its times do not.
        order = seen[record.span_id, at]
        seen[record.span_id, at] += 1
        ids: dict[str, Value] = {"id": record.span_id.hex(), "traceId": record.trace_id.hex()}
        body = ids | gen_ai_events.body_of(at, order, pair, is_whole=name == events.OPERATION)
        digest = hashlib.sha256(values.to_json(body).encode()).hexdigest()[:32]
        yield event_of(digest, gen_ai_events.KIND, at // _NANOSECONDS, body=body)


def _said(record: Any, frame: Frame) -> tuple[str, events.Pair] | None:
    """The event's name, and what belongs to the input and to the output; None for what is no GenAI event of a span."""
    if len(record.trace_id) != _TRACE_ID_BYTES or len(record.span_id) != _SPAN_ID_BYTES:
        return None
    name = (record.event_name or _named(record.attributes)).decode("utf-8", "replace")
    if name == events.OPERATION:
        pair = events.read(record.attributes[:], frame, io.extracted)
    elif name in events.MESSAGES:
        pair = {"role": events.MESSAGES[name], **_content(record)}, None
    elif name == events.CHOICE:
        pair = None, _content(record) or None
    else:
        return None
    return None if pair == (None, None) else (name, pair)


def _named(attributes: list[bytes]) -> bytes:
    """Before records had a name of their own, an attribute gave it."""
    if not any(_NAME_KEY in raw for raw in attributes):
        return b""
    return values.text(values.attributes(attributes).get(_NAME_KEY.decode())).encode()


def _content(record: Any) -> dict[str, Value]:
    """What the body says; attributes hold it where events have no body."""
    body = values.any_value(record.body) if record.body else None
    if isinstance(body, dict):
        return body
    if body is not None and body != "":
        return {"content": body}
    return {key: value for key, value in values.attributes(record.attributes).items() if key != _NAME_KEY.decode()}

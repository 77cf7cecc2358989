"""OTLP's JSON form turned into its protobuf form, so that one mapping serves both."""

import base64
import binascii
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from heliograph.domain.errors import MalformedPayload
from ingestion import values, wire
from ingestion.values import Value

Object = Mapping[str, Value]

_MAX_UINT64 = 2**64 - 1
_INT64 = range(-(2**63), 2**63)
_INT32 = range(-(2**31), 2**31)
_SPAN_KINDS = {
    f"SPAN_KIND_{name}": number
    for number, name in enumerate(("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
}
_STATUS_CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}


class Signal(NamedTuple):
    """What OTLP calls the levels of an export. In protobuf all signals have the same numbers down to their items."""

    resources: str
    scopes: str
    items: str
    item: Callable[[Object, str], bytes]


def to_protobuf(body: bytes, signal: Signal | None = None) -> bytes:
    """The serialized export request of a JSON one; unknown fields are ignored.

    Args:
        body: the JSON.
        signal: what is exported; traces unless told otherwise.

    Raises:
        MalformedPayload: it is not JSON, or a list or object of OTLP's structure is something else.
    """
    try:
        request = values.from_body(body)
    except (ValueError, RecursionError) as error:
        reason = f"it is not JSON ({error})"
        raise MalformedPayload(reason) from error
    sent = signal or TRACES
    if not isinstance(request, dict):
        reason = f"it is JSON, but not an object with {sent.resources}"
        raise MalformedPayload(reason)
    export = wire.Export(resource_spans=_each(request, sent.resources, partial(_resource_items, sent), place=""))
    return bytes(export.SerializeToString())


def _resource_items(signal: Signal, item: Object, place: str) -> bytes:
    message = wire.ResourceSpans(
        resource=_one(item, "resource", _resource, place=place),
        scope_spans=_each(item, signal.scopes, partial(_scope_items, signal), place=place),
        schema_url=_text(item, "schemaUrl"),
    )
    return bytes(message.SerializeToString())


def _resource(item: Object, place: str) -> bytes:
    return bytes(wire.Resource(attributes=_attributes(item, place)).SerializeToString())


def _scope_items(signal: Signal, item: Object, place: str) -> bytes:
    message = wire.ScopeSpans(
        scope=_one(item, "scope", _scope, place=place),
        spans=_each(item, signal.items, signal.item, place=place),
        schema_url=_text(item, "schemaUrl"),
    )
    return bytes(message.SerializeToString())


def _scope(item: Object, place: str) -> bytes:
    message = wire.Scope(name=_text(item, "name"), version=_text(item, "version"), attributes=_attributes(item, place))
    return bytes(message.SerializeToString())


def _span(item: Object, place: str) -> bytes:
    message = wire.Span(
        trace_id=_hex(item, "traceId"),
        span_id=_hex(item, "spanId"),
        trace_state=_text(item, "traceState"),
        parent_span_id=_hex(item, "parentSpanId"),
        name=_text(item, "name"),
        kind=_code(item.get("kind"), _SPAN_KINDS),
        start_time_unix_nano=_nanoseconds(item, "startTimeUnixNano"),
        end_time_unix_nano=_nanoseconds(item, "endTimeUnixNano"),
        attributes=_attributes(item, place),
        events=_each(item, "events", _event, place=place),
        links=_each(item, "links", _link, place=place),
        status=_one(item, "status", _status, place=place),
        flags=max(_code(item.get("flags"), {}), 0),
    )
    return bytes(message.SerializeToString())


def _log_record(item: Object, place: str) -> bytes:
    message = wire.LogRecord(
        time_unix_nano=_nanoseconds(item, "timeUnixNano"),
        body=_any_value(item.get("body"), 0),
        attributes=_attributes(item, place),
        trace_id=_hex(item, "traceId"),
        span_id=_hex(item, "spanId"),
        observed_time_unix_nano=_nanoseconds(item, "observedTimeUnixNano"),
        event_name=_text(item, "eventName"),
    )
    return bytes(message.SerializeToString())


def _event(item: Object, place: str) -> bytes:
    message = wire.Event(
        time_unix_nano=_nanoseconds(item, "timeUnixNano"),
        name=_text(item, "name"),
        attributes=_attributes(item, place),
    )
    return bytes(message.SerializeToString())


def _link(item: Object, place: str) -> bytes:
    message = wire.Link(
        trace_id=_hex(item, "traceId"),
        span_id=_hex(item, "spanId"),
        trace_state=_text(item, "traceState"),
        attributes=_attributes(item, place),
    )
    return bytes(message.SerializeToString())


def _status(item: Object, _place: str) -> bytes:
    message = wire.Status(code=_code(item.get("code"), _STATUS_CODES), message=_text(item, "message"))
    return bytes(message.SerializeToString())


def _code(value: Value, names: Mapping[str, int]) -> int:
    """An enumeration's number, which JSON gives as a number or as a name."""
    number = names.get(value, 0) if isinstance(value, str) else value
    # A boolean is an integer of Python, and none of protobuf.
    return number if isinstance(number, int) and not isinstance(number, bool) and number in _INT32 else 0


def _attributes(item: Object, place: str) -> list[bytes]:
    return _each(item, "attributes", _attribute, place=place)


def _attribute(item: Object, _place: str) -> bytes:
    return _pair(item, 0)


def _pair(item: Object, depth: int) -> bytes:
    message = wire.KeyValue(key=_text(item, "key"), value=_any_value(item.get("value"), depth))
    return bytes(message.SerializeToString())


def _any_value(value: Value, depth: int) -> bytes:
    """An AnyValue; what is none, or holds a value of the wrong type, is kept as JSON text."""
    if value is None or value == {}:
        return b""
    if depth <= values.MAX_DEPTH and isinstance(value, dict):
        for kind, set_value in _KINDS.items():
            if value.get(kind) is not None:
                known = set_value(value[kind], depth)
                if known is not None:
                    return bytes(wire.AnyValue(**known).SerializeToString())
    content = value if isinstance(value, str) else values.to_json(value)
    return bytes(wire.AnyValue(string_value=_encoded(content)).SerializeToString())


def _string(value: Value, _depth: int) -> dict[str, Any] | None:
    return {"string_value": _encoded(value)} if isinstance(value, str) else None


def _bool(value: Value, _depth: int) -> dict[str, Any] | None:
    return {"bool_value": value} if isinstance(value, bool) else None


def _int(value: Value, _depth: int) -> dict[str, Any] | None:
    number = _whole(value)
    return {"int_value": number} if number is not None and number in _INT64 else None


def _double(value: Value, _depth: int) -> dict[str, Any] | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return {"double_value": float(value)}
    except (ValueError, OverflowError):
        return None


def _array(value: Value, depth: int) -> dict[str, Any] | None:
    elements = value.get("values", []) if isinstance(value, dict) else None
    if not isinstance(elements, list):
        return None
    inner = wire.Values(values=[_any_value(element, depth + 1) for element in elements])
    return {"array_value": inner.SerializeToString()}


def _key_values(value: Value, depth: int) -> dict[str, Any] | None:
    pairs = value.get("values", []) if isinstance(value, dict) else None
    if not isinstance(pairs, list):
        return None
    inner = wire.Values(values=[_pair(pair, depth + 1) for pair in pairs if isinstance(pair, dict)])
    return {"kvlist_value": inner.SerializeToString()}


def _base64(value: Value, _depth: int) -> dict[str, Any] | None:
    try:
        return {"bytes_value": base64.b64decode(value, validate=True)} if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None


_KINDS: dict[str, Callable[[Value, int], dict[str, Any] | None]] = {
    "stringValue": _string,
    "boolValue": _bool,
    "intValue": _int,
    "doubleValue": _double,
    "arrayValue": _array,
    "kvlistValue": _key_values,
    "bytesValue": _base64,
}


def _each(item: Object, name: str, convert: Callable[[Object, str], bytes], *, place: str) -> list[bytes]:
    found = item.get(name)
    if found is None:
        return []
    here = f"{place}.{name}".lstrip(".")
    if not isinstance(found, list):
        raise MalformedPayload(f"{here} is not a list")
    converted = []
    for number, element in enumerate(found):
        if not isinstance(element, dict):
            raise MalformedPayload(f"{here}[{number}] is not an object")
        converted.append(convert(element, f"{here}[{number}]"))
    return converted


def _one(item: Object, name: str, convert: Callable[[Object, str], bytes], *, place: str) -> bytes:
    found = item.get(name)
    if found is None:
        return b""
    if not isinstance(found, dict):
        raise MalformedPayload(f"{place}.{name} is not an object")
    return convert(found, f"{place}.{name}")


def _text(item: Object, name: str) -> bytes:
    return _encoded(values.text(item.get(name)))


def _encoded(content: str) -> bytes:
    return content.encode("utf-8", "replace")


def _hex(item: Object, name: str) -> bytes:
    """The id's bytes, from hex, a list of bytes, or such a list as Node writes it.

    None when it is nothing of these, so that the mapping rejects this span alone.
    """
    found = item.get(name)
    if isinstance(found, dict):
        found = found.get("data")
    try:
        if isinstance(found, list):
            return bytes(found)  # type: ignore[arg-type]  # what is no byte raises
        return bytes.fromhex(found) if isinstance(found, str) else b""
    except (ValueError, TypeError):
        return b""


def _whole(value: Value) -> int | None:
    if isinstance(value, dict):
        return _from_halves(value.get("high"), value.get("low"))
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None


def _from_halves(high: Value, low: Value) -> int | None:
    """64 bits as JavaScript exporters write them: two signed halves."""
    if not isinstance(high, int) or not isinstance(low, int):
        return None
    return (high << 32) + (low & 0xFFFF_FFFF)


def _nanoseconds(item: Object, name: str) -> int:
    number = _whole(item.get(name)) or 0
    return min(max(number, 0), _MAX_UINT64)


TRACES = Signal("resourceSpans", "scopeSpans", "spans", _span)
LOGS = Signal("resourceLogs", "scopeLogs", "logRecords", _log_record)

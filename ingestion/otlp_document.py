"""The inverse of `otlp_json`: a decoded export as OTLP's JSON form."""

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ingestion import values, wire

if TYPE_CHECKING:
    from ingestion.otlp import ExportTraceServiceRequest, ScopeOfSpans

Document = dict[str, Any]


def resource_spans(export: "ExportTraceServiceRequest") -> list[Document]:
    """The export's `resourceSpans`; a span that cannot be read is left out."""
    return [_resource_spans(scope) for scope in export.scopes]


def _resource_spans(scope: "ScopeOfSpans") -> Document:
    resource = wire.lenient(wire.Resource, scope.resource)
    instrumentation = wire.lenient(wire.Scope, scope.scope)
    return {
        "resource": {"attributes": _attributes(resource.attributes)},
        "schemaUrl": _text(scope.resource_schema_url),
        "scopeSpans": [
            {
                "scope": {
                    "name": _text(instrumentation.name),
                    "version": _text(instrumentation.version),
                    "attributes": _attributes(instrumentation.attributes),
                },
                "schemaUrl": _text(scope.scope_schema_url),
                "spans": [_span(wire.lenient(wire.Span, raw)) for raw in scope.spans],
            }
        ],
    }


def _span(span: Any) -> Document:  # generated messages, here and below
    status = wire.lenient(wire.Status, span.status)
    return {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "traceState": _text(span.trace_state),
        "flags": span.flags,
        "name": _text(span.name),
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_time_unix_nano),
        "endTimeUnixNano": str(span.end_time_unix_nano),
        "attributes": _attributes(span.attributes),
        "events": [_event(wire.lenient(wire.Event, raw)) for raw in span.events],
        "links": [_link(wire.lenient(wire.Link, raw)) for raw in span.links],
        "status": {"code": status.code, "message": _text(status.message)},
    }


def _event(event: Any) -> Document:
    return {
        "timeUnixNano": str(event.time_unix_nano),
        "name": _text(event.name),
        "attributes": _attributes(event.attributes),
    }


def _link(link: Any) -> Document:
    return {
        "traceId": link.trace_id.hex(),
        "spanId": link.span_id.hex(),
        "traceState": _text(link.trace_state),
        "attributes": _attributes(link.attributes),
    }


def _attributes(raws: Iterable[bytes], depth: int = 0) -> list[Document]:
    pairs = [wire.lenient(wire.KeyValue, raw) for raw in raws]
    return [{"key": _text(pair.key), "value": _any_value(pair.value, depth)} for pair in pairs]


def _any_value(raw: bytes, depth: int) -> Document:
    value = wire.lenient(wire.AnyValue, raw)
    kind = value.WhichOneof("value")
    if kind is None or depth > values.MAX_DEPTH:
        return {}
    found = getattr(value, kind)
    if kind == "array_value":
        inner = wire.lenient(wire.Values, found).values
        return {"arrayValue": {"values": [_any_value(element, depth + 1) for element in inner]}}
    if kind == "kvlist_value":
        return {"kvlistValue": {"values": _attributes(wire.lenient(wire.Values, found).values, depth + 1)}}
    scalar: Document = _SCALARS[kind](found)
    return scalar


_SCALARS: dict[str, Any] = {
    "string_value": lambda found: {"stringValue": _text(found)},
    "bool_value": lambda found: {"boolValue": found},
    "int_value": lambda found: {"intValue": str(found)},
    "double_value": lambda found: {"doubleValue": values.number(found)},
    "bytes_value": lambda found: {"bytesValue": base64.b64encode(found).decode()},
}


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")

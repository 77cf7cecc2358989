"""OTLP's protobuf messages read one level at a time: what lies deeper stays bytes until it is looked at."""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

_FIELD = descriptor_pb2.FieldDescriptorProto
_BYTES = _FIELD.TYPE_BYTES

# Strings are declared as bytes, which is the same on the wire: invalid UTF-8 must not cost a span.
_MESSAGES: dict[str, tuple[tuple[str, int, int, bool], ...]] = {
    "Export": (("resource_spans", 1, _BYTES, True),),
    "ResourceSpans": (
        ("resource", 1, _BYTES, False),
        ("scope_spans", 2, _BYTES, True),
        ("schema_url", 3, _BYTES, False),
    ),
    "ScopeSpans": (("scope", 1, _BYTES, False), ("spans", 2, _BYTES, True), ("schema_url", 3, _BYTES, False)),
    "Resource": (("attributes", 1, _BYTES, True), ("dropped_attributes_count", 2, _FIELD.TYPE_UINT32, False)),
    "Scope": (
        ("name", 1, _BYTES, False),
        ("version", 2, _BYTES, False),
        ("attributes", 3, _BYTES, True),
        ("dropped_attributes_count", 4, _FIELD.TYPE_UINT32, False),
    ),
    "Span": (
        ("trace_id", 1, _BYTES, False),
        ("span_id", 2, _BYTES, False),
        ("trace_state", 3, _BYTES, False),
        ("parent_span_id", 4, _BYTES, False),
        ("name", 5, _BYTES, False),
        ("kind", 6, _FIELD.TYPE_INT32, False),
        ("start_time_unix_nano", 7, _FIELD.TYPE_FIXED64, False),
        ("end_time_unix_nano", 8, _FIELD.TYPE_FIXED64, False),
        ("attributes", 9, _BYTES, True),
        ("dropped_attributes_count", 10, _FIELD.TYPE_UINT32, False),
        ("events", 11, _BYTES, True),
        ("dropped_events_count", 12, _FIELD.TYPE_UINT32, False),
        ("links", 13, _BYTES, True),
        ("dropped_links_count", 14, _FIELD.TYPE_UINT32, False),
        ("status", 15, _BYTES, False),
        ("flags", 16, _FIELD.TYPE_FIXED32, False),
    ),
    "Status": (("message", 2, _BYTES, False), ("code", 3, _FIELD.TYPE_INT32, False)),
    "Event": (
        ("time_unix_nano", 1, _FIELD.TYPE_FIXED64, False),
        ("name", 2, _BYTES, False),
        ("attributes", 3, _BYTES, True),
        ("dropped_attributes_count", 4, _FIELD.TYPE_UINT32, False),
    ),
    "LogRecord": (
        ("time_unix_nano", 1, _FIELD.TYPE_FIXED64, False),
        ("body", 5, _BYTES, False),
        ("attributes", 6, _BYTES, True),
        ("trace_id", 9, _BYTES, False),
        ("span_id", 10, _BYTES, False),
        ("observed_time_unix_nano", 11, _FIELD.TYPE_FIXED64, False),
        ("event_name", 12, _BYTES, False),
    ),
    "Link": (
        ("trace_id", 1, _BYTES, False),
        ("span_id", 2, _BYTES, False),
        ("trace_state", 3, _BYTES, False),
        ("attributes", 4, _BYTES, True),
        ("dropped_attributes_count", 5, _FIELD.TYPE_UINT32, False),
        ("flags", 6, _FIELD.TYPE_FIXED32, False),
    ),
    "KeyValue": (("key", 1, _BYTES, False), ("value", 2, _BYTES, False)),
    "Values": (("values", 1, _BYTES, True),),
}

# AnyValue is a oneof; with bytes for its text and its nested values, presence tells which one was set.
_ANY_VALUE = (
    ("string_value", 1, _BYTES),
    ("bool_value", 2, _FIELD.TYPE_BOOL),
    ("int_value", 3, _FIELD.TYPE_INT64),
    ("double_value", 4, _FIELD.TYPE_DOUBLE),
    ("array_value", 5, _BYTES),
    ("kvlist_value", 6, _BYTES),
    ("bytes_value", 7, _BYTES),
)


def _declare() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="heliograph/wire.proto", package="heliograph.wire", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, type_, is_repeated in fields:
            label = _FIELD.LABEL_REPEATED if is_repeated else _FIELD.LABEL_OPTIONAL
            message.field.add(name=field, number=number, type=type_, label=label)
    message = file.message_type.add(name="AnyValue")
    message.oneof_decl.add(name="value")
    for field, number, type_ in _ANY_VALUE:
        message.field.add(name=field, number=number, type=type_, label=_FIELD.LABEL_OPTIONAL, oneof_index=0)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    names = [*_MESSAGES, "AnyValue"]
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"heliograph.wire.{name}")) for name in names
    }


_DECLARED = _declare()
Export: Any = _DECLARED["Export"]
ResourceSpans: Any = _DECLARED["ResourceSpans"]
ScopeSpans: Any = _DECLARED["ScopeSpans"]
Resource: Any = _DECLARED["Resource"]
Scope: Any = _DECLARED["Scope"]
Span: Any = _DECLARED["Span"]
Status: Any = _DECLARED["Status"]
Event: Any = _DECLARED["Event"]
LogRecord: Any = _DECLARED["LogRecord"]
Link: Any = _DECLARED["Link"]
KeyValue: Any = _DECLARED["KeyValue"]
Values: Any = _DECLARED["Values"]
AnyValue: Any = _DECLARED["AnyValue"]


def varint(value: int) -> bytes:
    """The base-128 encoding of a non-negative integer."""
    if value < 0x80:
        return bytes((value,))
    if value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def lenient(message: Any, raw: bytes) -> Any:  # generated messages
    """The parsed message, or an empty one: a part that cannot be read must not cost its span."""
    try:
        return message.FromString(raw)
    except DecodeError:
        return message()

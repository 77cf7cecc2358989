"""OTLP exports to test with, built with OpenTelemetry's own messages."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from heliograph.domain.events import IngestionFacts, MappedBatch
from heliograph.domain.identifiers import ProjectId
from ingestion import otlp
from ingestion.otlp import MappedExport, MappingContext

Attributes = Mapping[str, Any]

TRACE_ID = bytes(range(16))
SPAN_ID = bytes(range(8))
START = 1_795_510_371_674_231_596
END = START + 1_500_000_000
RECEIVED_AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
FACTS = IngestionFacts("pk-lf-test", "python", "5.0.4", "4")
CONTEXT = MappingContext(ProjectId("project"), FACTS, RECEIVED_AT)
LANGFUSE_SCOPE = ("langfuse-sdk", "5.0.4")


def any_value(value: Any) -> AnyValue:
    if value is None:
        return AnyValue()
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=map(any_value, value)))
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=key_values(value)))
    kinds = {bool: "bool_value", int: "int_value", float: "double_value", bytes: "bytes_value", str: "string_value"}
    return AnyValue(**{kinds[type(value)]: value})


def key_values(attributes: Attributes) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def span(attributes: Attributes | None = None, **fields: Any) -> Span:
    known: dict[str, Any] = {
        "trace_id": TRACE_ID, "span_id": SPAN_ID, "name": "work", "start_time_unix_nano": START,
        "end_time_unix_nano": END, "attributes": key_values(attributes or {}),
    }  # fmt: skip
    return Span(**(known | fields))


def event(name: str, attributes: Attributes) -> Span.Event:
    return Span.Event(name=name, attributes=key_values(attributes))


def status(code: int, message: str = "") -> Status:
    return Status(code=code, message=message)  # type: ignore[arg-type]


def export(
    spans: Iterable[Span], *, resource: Attributes | None = None, scope: tuple[str, str] = LANGFUSE_SCOPE
) -> bytes:
    request = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=key_values(resource or {})),
                scope_spans=[ScopeSpans(scope=InstrumentationScope(name=scope[0], version=scope[1]), spans=spans)],
            )
        ]
    )
    return request.SerializeToString()


def mapped(*spans: Span, context: MappingContext = CONTEXT, **around: Any) -> MappedExport:
    return otlp.map_export(otlp.decode(export(spans, **around), otlp.PROTOBUF), context)


def rows(*spans: Span, **around: Any) -> list[dict[str, Any]]:
    return plain(mapped(*spans, **around).batch.observations)


def row(attributes: Attributes | None = None, *, around: Attributes | None = None, **fields: Any) -> dict[str, Any]:
    """The row of one span with these attributes."""
    return rows(span(attributes, **fields), **(around or {}))[0]


def plain(table: pa.Table) -> list[dict[str, Any]]:
    """Rows with maps as dictionaries."""
    maps = [field.name for field in table.schema if isinstance(field.type, pa.MapType)]
    return [{**found, **{name: dict(found[name]) for name in maps}} for found in table.to_pylist()]


def same_rows(one: MappedBatch, other: MappedBatch) -> bool:
    pairs = zip((one.records, *one.row_tables), (other.records, *other.row_tables), strict=True)
    return all(left.combine_chunks().equals(right.combine_chunks()) for left, right in pairs)

"""Spans that the platform makes of what it does itself, as an application would send them."""

from collections.abc import Mapping, Sequence

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from ingestion import otlp


def own_span(
    ids: tuple[str, str], name: str, *, times: tuple[int, int], attributes: Mapping[str, str], error: str = ""
) -> Span:
    """One span.

    Args:
        ids: of its trace and its own, as hexadecimal digits.
        name: what it is called.
        times: its start and end, nanoseconds since 1970.
        attributes: those without text are left out.
        error: why it failed; '' when it did not.
    """
    trace_id, span_id = map(bytes.fromhex, ids)
    span = Span(
        trace_id=trace_id,
        span_id=span_id,
        name=name,
        start_time_unix_nano=times[0],
        end_time_unix_nano=times[1],
        attributes=[KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in attributes.items() if text],
    )
    if error:
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=error))
    return span


def own_export(spans: Sequence[Span], scope: str) -> otlp.ExportTraceServiceRequest:
    """The spans as one export of an instrumentation scope."""
    found = ScopeSpans(scope=InstrumentationScope(name=scope), spans=spans)
    request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[found])])
    return otlp.decode(request.SerializeToString(), otlp.PROTOBUF)

"""Spans of the task's own instrumentation, put below the item that they belong to."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def within(trace_id: str, span_id: str) -> Iterator[None]:
    """Whatever OpenTelemetry records in the block belongs to this span; without OpenTelemetry nothing happens."""
    try:
        from opentelemetry import context, trace  # noqa: PLC0415 - an optional dependency
    except ModuleNotFoundError:
        yield
        return
    sampled = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    parent = trace.SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=sampled)
    token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(parent)))
    try:
        yield
    finally:
        context.detach(token)

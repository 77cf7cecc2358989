"""Own traces: a sampled request on its way through door, lane and flush. Off unless there is an endpoint."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import heliograph
from heliograph.settings import TelemetrySettings

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Link, Span, Tracer

# Exports of our own spans carry it, and a request that does is never traced: an endpoint may be this very origin.
OWN_EXPORT_HEADER = "x-heliograph-own-telemetry"
_EXPORT_TIMEOUT_SECONDS = 5

# W3C trace contexts of the sampled spans that the work of the moment belongs to; mostly none.
Parents = tuple[str, ...]
_parents: ContextVar[Parents] = ContextVar("parents", default=())


class _Own:
    tracer: "Tracer | None" = None
    sample_ratio: float = 0.0


def configure_traces(
    settings: TelemetrySettings, part: str, exporter: "SpanExporter | None" = None
) -> Callable[[], None]:
    """Trace this process from now on, if there is an endpoint. Call it once, in a composition root.

    Args:
        settings: the endpoint, and how much of the traffic to trace.
        part: of the stack, the name of the service.
        exporter: instead of the one to the endpoint.

    Returns:
        What exports the spans that have ended so far, and blocks meanwhile.
    """
    if not settings.endpoint:
        return lambda: None
    # Half a second of imports that a process without traces does not pay.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON  # noqa: PLC0415

    headers = {**settings.headers, OWN_EXPORT_HEADER: "1"}
    sink = exporter or OTLPSpanExporter(settings.endpoint, headers=headers, timeout=_EXPORT_TIMEOUT_SECONDS)
    resource = Resource.create({"service.name": f"heliograph-{part}", "service.version": heliograph.__version__})
    # Sampled here and not by the SDK, so that a request that is not sampled costs one random number.
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource)
    provider.add_span_processor(BatchSpanProcessor(sink))
    _Own.tracer, _Own.sample_ratio = provider.get_tracer("heliograph"), settings.sample_ratio
    return lambda: _flush(provider.force_flush)


def is_on() -> bool:
    """Whether this process traces."""
    return _Own.tracer is not None


def parents() -> Parents:
    """The sampled spans that what runs now belongs to."""
    return _parents.get()


@contextmanager
def resumed(traced: Sequence[str]) -> Iterator[None]:
    """Do the work of other spans, of another request or another process."""
    token = _parents.set(tuple(dict.fromkeys(traced)))
    try:
        yield
    finally:
        _parents.reset(token)


@contextmanager
def request(name: str, **attributes: str) -> Iterator["Span | None"]:
    """The span of a request if it is sampled; it begins a trace of ours, whatever its sender traces."""
    if _Own.tracer is None or random.random() >= _Own.sample_ratio:  # noqa: S311 - a sample, no secret
        yield None
        return
    from opentelemetry.context import Context  # noqa: PLC0415
    from opentelemetry.trace import SpanKind  # noqa: PLC0415

    with _entered(_Own.tracer.start_span(name, Context(), SpanKind.SERVER, attributes)) as span:
        yield span


@contextmanager
def step(name: str, **attributes: str | int) -> Iterator[None]:
    """A span below those that run now; nothing where none is sampled."""
    above = _parents.get()
    if _Own.tracer is None or not above:
        yield
        return
    context, links = _context(above)
    with _entered(_Own.tracer.start_span(name, context, attributes=attributes, links=links)):
        yield


def record(name: str, above: Parents, started_ns: int, **attributes: str | int) -> None:
    """A span that began earlier and ends now."""
    if _Own.tracer is None or not above:
        return
    context, links = _context(above)
    span = _Own.tracer.start_span(name, context, attributes=attributes, links=links, start_time=started_ns)
    span.end(time.time_ns())


def _flush(force: Callable[[], bool]) -> None:
    force()


@contextmanager
def _entered(span: "Span") -> Iterator["Span"]:
    from opentelemetry.trace import StatusCode  # noqa: PLC0415

    context = span.get_span_context()
    token = _parents.set((f"00-{context.trace_id:032x}-{context.span_id:016x}-01",))
    try:
        yield span
    except BaseException as error:
        # The name alone: messages may quote what was sent.
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(StatusCode.ERROR)
        raise
    finally:
        _parents.reset(token)
        span.end()


def _context(above: Parents) -> "tuple[Context, list[Link]]":
    from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context  # noqa: PLC0415

    found = []
    for traced in above:
        _, trace_id, span_id, _ = traced.split("-")
        found.append(SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(1)))
    return set_span_in_context(NonRecordingSpan(found[0])), [Link(each) for each in found[1:]]

"""How fast exports are mapped on one core, against decoding alone: `python -m tests.benchmarks.mapping`."""

import argparse
import cProfile
import json
import pstats
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from heliograph.allocator import keep_freed_memory
from heliograph.domain.events import IngestionFacts
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.masking import MaskingRule, RuleKind
from heliograph.garbage import collect_rarely
from ingestion import otlp, replay
from ingestion.masking.projects import masking_of
from ingestion.otlp import MappingContext

WORDS = ("parcel", "order", "customer", "where", "answer", "tomorrow", "delivery", "please", "street", "window")
MODELS = ("gpt-4o-mini", "gpt-4o", "claude-sonnet-4-5", "gemini-2.5-flash")
RESOURCE = {
    "telemetry.sdk.language": "python",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.version": "1.45.2",
    "service.instance.id": "9ca23b14-8c2a-4e11-a647-e1f0bb9cb3a5",
    "langfuse.environment": "production",
    "langfuse.release": "2026.11.3",
    "service.name": "support-agent",
}
RULES = (
    *(MaskingRule(name, RuleKind.DETECTOR, name) for name in ("email", "phone", "card", "secrets")),
    MaskingRule("order", RuleKind.EXPRESSION, r"\border-\d{6}\b"),
)
TARGET, FLOOR = 60_000, 40_000


def export(spans: int, *, seed: int = 0) -> bytes:
    """A request as Langfuse's Python SDK sends it, of about 1.25 kB a span.

    Traces of an agent, a retriever, a tool and three generations; ids, users, texts and usage all differ.
    """
    draw = random.Random(seed)
    made: list[Span] = []
    while len(made) < spans:
        made += _trace(draw)
    scope = InstrumentationScope(name="langfuse-sdk", version="5.0.4", attributes=[_pair("public_key", "pk-lf-1")])
    resource = Resource(attributes=[_pair(key, value) for key, value in RESOURCE.items()])
    scope_spans = ScopeSpans(scope=scope, spans=made[:spans])
    resource_spans = ResourceSpans(resource=resource, scope_spans=[scope_spans])
    return ExportTraceServiceRequest(resource_spans=[resource_spans]).SerializeToString()


def _trace(draw: random.Random) -> list[Span]:
    trace_id, root_id = draw.randbytes(16), draw.randbytes(8)
    start = 1_795_510_371_674_231_596 + draw.randrange(10**15)
    propagated = {
        "user.id": f"user-{draw.randrange(50_000)}",
        "session.id": f"session-{draw.randrange(10**9)}",
        "langfuse.trace.metadata.tenant": f'"{draw.choice(WORDS)}"',
        "langfuse.trace.tags": ["support", draw.choice(WORDS)],
        "langfuse.trace.name": "support",
        "langfuse.environment": "production",
        "langfuse.release": "2026.11.3",
        "langfuse.version": "2.1",
    }
    kinds = ("agent", "retriever", "generation", "tool", "generation", "generation")
    return [
        Span(
            trace_id=trace_id,
            span_id=root_id if place == 0 else draw.randbytes(8),
            parent_span_id=b"" if place == 0 else root_id,
            name=f"{kind}-{place}",
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=start + place * 1_000_000,
            end_time_unix_nano=start + place * 1_000_000 + draw.randrange(10**9),
            attributes=[_pair(key, value) for key, value in (propagated | _observation(draw, kind)).items()],
            flags=256,
        )
        for place, kind in enumerate(kinds)
    ]


def _observation(draw: random.Random, kind: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "langfuse.observation.type": kind,
        "langfuse.observation.metadata.step": str(draw.randrange(100)),
    }
    if kind != "generation":
        return attributes | {
            "langfuse.observation.input": json.dumps({"query": _text(draw, 40)}),
            "langfuse.observation.output": _text(draw, 70),
        }
    messages = [{"role": "system", "content": _text(draw, 25)}, {"role": "user", "content": _text(draw, 25)}]
    usage = {"input": draw.randrange(2000), "output": draw.randrange(500), "input_cached_tokens": draw.randrange(900)}
    return attributes | {
        "langfuse.observation.input": json.dumps(messages),
        "langfuse.observation.output": json.dumps({"role": "assistant", "content": _text(draw, 25)}),
        "langfuse.observation.model.name": draw.choice(MODELS),
        "langfuse.observation.model.parameters": '{"temperature": 0.2, "max_tokens": 400}',
        "langfuse.observation.usage_details": json.dumps(usage),
    }


def _text(draw: random.Random, words: int) -> str:
    return " ".join(draw.choices(WORDS, k=words))


def _pair(key: str, value: Any) -> KeyValue:
    if isinstance(value, str):
        return KeyValue(key=key, value=AnyValue(string_value=value))
    return KeyValue(key=key, value=AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=v) for v in value])))


def decoded_attributes(body: bytes) -> int:
    """The other ceiling: OpenTelemetry's messages, and each span's attributes as a dictionary."""
    request = ExportTraceServiceRequest.FromString(body)
    found = 0
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                found += len({pair.key: pair.value.string_value for pair in span.attributes})
    return found


def rate(work: Callable[[], object], spans: int, seconds: float) -> float:
    """Spans per second of processor time, at the best of the runs: other work on the machine does not count."""
    work()
    best = float("inf")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        before = time.process_time()
        work()
        best = min(best, time.process_time() - before)
    return spans / best


def measure(spans: int, small: int, seconds: float) -> dict[str, float]:
    """All figures, in spans per second."""
    body, small_body = export(spans), export(small)
    facts = IngestionFacts("pk-lf-1", "python", "5.0.4", "4")
    context = MappingContext(ProjectId("project"), facts, datetime.now(UTC))

    def mapped(request: bytes) -> otlp.MappedExport:
        return otlp.map_export(otlp.decode(request, otlp.PROTOBUF), context)

    with_rules = replace(context, masker=masking_of(RULES).masker)

    def masked(request: bytes) -> otlp.MappedExport:
        return otlp.map_export(otlp.decode(request, otlp.PROTOBUF), with_rules)

    records = mapped(body).batch.records
    # As the ingestion replica does.
    collect_rarely()
    keep_freed_memory()
    return {
        "bytes_per_span": len(body) / spans,
        "ceiling_protobuf": rate(lambda: ExportTraceServiceRequest.FromString(body), spans, seconds),
        "ceiling_protobuf_and_attributes": rate(lambda: decoded_attributes(body), spans, seconds),
        "mapping": rate(lambda: mapped(body), spans, seconds),
        f"mapping_of_{small}_spans": rate(lambda: mapped(small_body), small, seconds),
        f"mapping_with_{len(RULES)}_rules": rate(lambda: masked(body), spans, seconds),
        "replay": rate(lambda: replay.map_records(records, prices=context.prices), spans, seconds),
    }


def profile(spans: int) -> None:
    """Where the time goes."""
    body = export(spans)
    context = MappingContext(ProjectId("project"), IngestionFacts(), datetime.now(UTC))
    with cProfile.Profile() as profiler:
        for _ in range(40):
            otlp.map_export(otlp.decode(body, otlp.PROTOBUF), context)
    pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(30)


def main() -> None:
    """Prints a table and, as the last line, JSON."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--spans", type=int, default=500)
    arguments.add_argument("--small", type=int, default=10)
    arguments.add_argument("--seconds", type=float, default=3.0)
    arguments.add_argument("--profile", action="store_true")
    given = arguments.parse_args()
    if given.profile:
        profile(given.spans)
    figures = measure(given.spans, given.small, given.seconds)
    for name, figure in figures.items():
        print(f"{name:35} {figure:12,.0f}")
    print(f"{'target, floor':35} {TARGET:12,} {FLOOR:,}")
    print(json.dumps({name: round(figure, 1) for name, figure in figures.items()}))


if __name__ == "__main__":
    main()

"""OpenTelemetry's Python exporters: spans without a pause until a file appears. Prints the ids: `emit.py PROTOCOL FILE`."""

import sys
import time
from pathlib import Path

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

protocol, end = sys.argv[1], Path(sys.argv[2])
exporter = GrpcExporter(insecure=True) if protocol == "grpc" else HttpExporter()
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=100_000, schedule_delay_millis=100))
tracer = provider.get_tracer("restarted")
while not end.exists():
    with tracer.start_as_current_span("step", attributes={"protocol": protocol}) as span:
        print(f"{span.get_span_context().span_id:016x}")
    time.sleep(0.02)
provider.force_flush(120_000)
provider.shutdown()

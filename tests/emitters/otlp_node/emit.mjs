// OpenTelemetry's JavaScript exporter, which sends JSON: spans until a file appears. Prints the ids: `emit.mjs FILE`.
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const limits = { maxQueueSize: 100_000, scheduledDelayMillis: 100, exportTimeoutMillis: 60_000 };
const processor = new BatchSpanProcessor(new OTLPTraceExporter(), limits);
const provider = new NodeTracerProvider({ spanProcessors: [processor] });
const tracer = provider.getTracer("restarted");
while (!existsSync(process.argv[2])) {
  const span = tracer.startSpan("step", { attributes: { protocol: "http/json" } });
  console.log(span.spanContext().spanId);
  span.end();
  await setTimeout(20);
}
await processor.forceFlush();
await provider.shutdown();

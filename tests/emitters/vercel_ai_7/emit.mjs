// The Vercel AI SDK 7 with its OpenTelemetry package, whose spans follow the GenAI conventions.
import { createOpenAI } from "@ai-sdk/openai";
import { OpenTelemetry } from "@ai-sdk/otel";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { embed, generateText, jsonSchema, registerTelemetry, stepCountIs, streamText, tool } from "ai";

const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
provider.register();
registerTelemetry(new OpenTelemetry());

const openai = createOpenAI();
const model = openai.chat("gpt-4o-mini");
const telemetry = { functionId: "geography" };
const city = jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] });
const weather = tool({ description: "The weather.", inputSchema: city, execute: ({ city }) => `sunny in ${city}` });

await generateText({ model, instructions: "Be brief.", prompt: "What is the capital of France?", telemetry });
await generateText({
  model,
  prompt: "What is the weather in Paris?",
  tools: { weather },
  stopWhen: stepCountIs(3),
  telemetry,
});
await streamText({ model, prompt: "What is the capital of France?", telemetry }).text;
await embed({ model: openai.embedding("text-embedding-3-small"), value: "Paris", telemetry });
await generateText({ model, prompt: "[fail]", maxRetries: 0, telemetry }).catch((error) =>
  console.log("as ordered:", error.message),
);
await provider.shutdown();

// The Vercel AI SDK 6 with OpenTelemetry's own exporter, which sends JSON.
import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { embed, generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";

const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
provider.register();

const openai = createOpenAI();
const model = openai.chat("gpt-4o-mini");
const experimental_telemetry = {
  isEnabled: true,
  functionId: "geography",
  metadata: { userId: "user-1", sessionId: "session-1", tags: ["a", "b"], attempt: 1 },
};
const city = jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] });
const weather = tool({ description: "The weather.", inputSchema: city, execute: ({ city }) => `sunny in ${city}` });

await generateText({ model, system: "Be brief.", prompt: "What is the capital of France?", experimental_telemetry });
await generateText({
  model,
  prompt: "What is the weather in Paris?",
  tools: { weather },
  stopWhen: stepCountIs(3),
  experimental_telemetry,
});
await streamText({ model, prompt: "What is the capital of France?", experimental_telemetry }).text;
await embed({ model: openai.embedding("text-embedding-3-small"), value: "Paris", experimental_telemetry });
await generateText({ model, prompt: "[fail]", maxRetries: 0, experimental_telemetry }).catch((error) =>
  console.log("as ordered:", error.message),
);
await provider.shutdown();

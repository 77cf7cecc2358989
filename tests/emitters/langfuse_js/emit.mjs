// Langfuse's JavaScript SDK: observations, decorated functions and the OpenAI wrapper.
import { observeOpenAI } from "@langfuse/openai";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { observe, propagateAttributes, startActiveObservation, startObservation } from "@langfuse/tracing";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import OpenAI from "openai";

const processor = new LangfuseSpanProcessor();
const provider = new NodeTracerProvider({ spanProcessors: [processor] });
provider.register();

const client = observeOpenAI(new OpenAI({ maxRetries: 0 }), { generationName: "asked" });
const messages = [{ role: "user", content: "What is the capital of France?" }];
const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = [{ type: "function", function: { name: "weather", parameters } }];
const model = "gpt-4o-mini";

const lookUp = observe(async (city) => ({ city, weather: "sunny" }), { name: "look up", asType: "tool" });

await propagateAttributes(
  { userId: "user-1", sessionId: "session-1", tags: ["a", "b"], traceName: "managed trace" },
  () =>
    startActiveObservation(
      "managed",
      async (agent) => {
        agent.update({ input: { question: "?" } });
        await lookUp("Paris");
        const call = startObservation("model call", { model: "gpt-4o", input: messages }, { asType: "generation" });
        call.update({
          output: "Paris",
          modelParameters: { temperature: 0 },
          usageDetails: { input: 10, output: 5 },
          costDetails: { input: 0.001, output: 0.002 },
          metadata: { attempt: 1 },
          completionStartTime: new Date(),
        });
        call.end();
        agent.update({ output: "Paris", level: "WARNING", statusMessage: "few results" });
      },
      { asType: "agent" },
    ),
);

await startActiveObservation("wrapped", async () => {
  await client.chat.completions.create({ model, messages, temperature: 0.5 });
  const stream_options = { include_usage: true };
  for await (const _ of await client.chat.completions.create({ model, messages, stream: true, stream_options }));
  await client.chat.completions.create({ model, messages, tools });
  await client.embeddings.create({ model: "text-embedding-3-small", input: "Paris" });
  await client.chat.completions
    .create({ model, messages: [{ role: "user", content: "[fail]" }] })
    .catch((error) => console.log("as ordered:", error.message));
});
await processor.forceFlush();
await provider.shutdown();

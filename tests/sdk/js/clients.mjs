// What the tests share: the clients, as a user makes them, and a note of every method that answered.
import { LangfuseClient } from "@langfuse/client";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { randomUUID } from "node:crypto";

export const answered = new Set();
const processor = new LangfuseSpanProcessor();
new NodeTracerProvider({ spanProcessors: [processor] }).register();

export const langfuse = new LangfuseClient();
export const MANAGERS = ["prompt", "dataset", "score", "media", "experiment"];
const INTERNAL = new Set(["constructor", "logger", "fetchPromptAndUpdateCache", "createDatasetItemLinkFunction"]);
const WITHIN = new Set(["handleFlush", "runItem", "prettyPrintResults", "formatValue", "isOtelRegistered", "createExperimentRunName"]);

// The names of all public methods, as `api.prompts.get`.
export function walked(of, path) {
  return named(of).flatMap((name) => {
    const resource = getter(of, name) ? of[name] : undefined;
    return resource ? walked(resource, `${path}${name}.`) : getter(of, name) ? [] : [path + name];
  });
}

export function watch(of, path) {
  for (const name of named(of)) {
    if (getter(of, name)) {
      if (of[name]) watch(of[name], `${path}${name}.`);
    } else {
      const method = of[name].bind(of);
      of[name] = (...given) => noted(method(...given), path + name);
    }
  }
}

function named(of) {
  const own = Object.getOwnPropertyNames(Object.getPrototypeOf(of));
  return own.filter((name) => !name.startsWith("_") && !INTERNAL.has(name) && !WITHIN.has(name));
}

function getter(of, name) {
  return Object.getOwnPropertyDescriptor(Object.getPrototypeOf(of), name)?.get;
}

function noted(answer, name) {
  if (typeof answer?.then !== "function") {
    answered.add(name);
    return answer;
  }
  // Some answers are promises with methods of their own, so they are handed on as they are.
  answer.then(() => answered.add(name), () => {});
  return answer;
}

export const name = () => `n-${randomUUID().slice(0, 12)}`;

export const flush = async () => {
  await processor.forceFlush();
  await langfuse.flush();
};

// Ask until there is an answer: what was sent is read a moment later.
export async function eventually(look, milliseconds = 20_000) {
  const until = Date.now() + milliseconds;
  for (;;) {
    try {
      const found = await look();
      if (found && found.length !== 0) return found;
      if (Date.now() > until) throw new Error("nothing came");
    } catch (error) {
      if (Date.now() > until) throw error;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
}

const FIELDS = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context";

export const observations = (traceId, count) =>
  eventually(async () => {
    const { data } = await langfuse.api.observations.getMany({ traceId, fields: FIELDS });
    return data.length >= count && Object.fromEntries(data.map((each) => [each.name, each]));
  });

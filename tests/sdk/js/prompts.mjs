// Prompts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { langfuse, name } from "./clients.mjs";

test("a text prompt is created, fetched and compiled", async () => {
  const called = name();
  const made = await langfuse.prompt.create({
    name: called, prompt: "Say {{word}}!", labels: ["production"], tags: ["t"], config: { k: 1 }, commitMessage: "first",
  });
  await langfuse.prompt.create({ name: called, prompt: "Shout {{word}}!", labels: ["staging"] });

  const fetched = await langfuse.prompt.get(called);

  assert.deepEqual([made.version, fetched.version, fetched.config, fetched.tags], [1, 1, { k: 1 }, ["t"]]);
  assert.equal(fetched.compile({ word: "hi" }), "Say hi!");
  assert.equal((await langfuse.prompt.get(called, { label: "staging" })).prompt, "Shout {{word}}!");
  assert.equal((await langfuse.prompt.get(called, { version: 1 })).commitMessage, "first");
});

test("placeholders of a chat prompt are filled", async () => {
  const called = name();
  const prompt = [{ role: "system", content: "Be {{how}}." }, { type: "placeholder", name: "history" }];
  await langfuse.prompt.create({ name: called, type: "chat", prompt, labels: ["production"] });

  const fetched = await langfuse.prompt.get(called, { type: "chat" });

  const past = [{ role: "user", content: "hi" }];
  const compiled = fetched.compile({ how: "kind" }, { history: past });
  assert.deepEqual(compiled.map((each) => [each.role, each.content]), [["system", "Be kind."], ["user", "hi"]]);
});

test("a label moves, and a fetch without a cache sees it", async () => {
  const called = name();
  await langfuse.prompt.create({ name: called, prompt: "one", labels: ["production"] });
  await langfuse.prompt.create({ name: called, prompt: "two" });

  const changed = await langfuse.prompt.update({ name: called, version: 2, newLabels: ["production"] });

  assert.deepEqual(new Set(changed.labels), new Set(["latest", "production"]));
  assert.equal((await langfuse.prompt.get(called, { cacheTtlSeconds: 0 })).prompt, "two");
});

test("a missing prompt falls back or fails, also after it was deleted", async () => {
  const called = name();
  const fallback = await langfuse.prompt.get(called, { fallback: "Use {{this}}", maxRetries: 0 });
  assert.deepEqual([fallback.isFallback, fallback.compile({ this: "it" })], [true, "Use it"]);

  await langfuse.prompt.create({ name: called, prompt: "x", labels: ["production"] });
  await langfuse.prompt.delete(called);

  await assert.rejects(langfuse.prompt.get(called, { cacheTtlSeconds: 0, maxRetries: 0 }), /not found|404/i);
});

// Every test, and then whether any public method of the client was left out.
import assert from "node:assert/strict";
import { after } from "node:test";
import { answered, langfuse, MANAGERS, walked, watch } from "./clients.mjs";

for (const manager of MANAGERS) watch(langfuse[manager], `${manager}.`);
watch(langfuse.api, "api.");

await import("./prompts.mjs");
await import("./tracing.mjs");
await import("./datasets.mjs");
await import("./generated.mjs");

const known = [...MANAGERS.flatMap((manager) => walked(langfuse[manager], `${manager}.`)), ...walked(langfuse.api, "api.")];
const { UNANSWERED } = await import("./unanswered.mjs");

after(async () => {
  await langfuse.score.flush();
  assert.deepEqual(known.filter((each) => !answered.has(each) && !(each in UNANSWERED)), []);
  assert.deepEqual(Object.keys(UNANSWERED).filter((each) => answered.has(each)), []);
});

// Traces as programs write them, scores and files in them.
import { LangfuseMedia } from "@langfuse/core";
import {
  createTraceId, getActiveSpanId, getActiveTraceId, observe, propagateAttributes, setActiveTraceAsPublic,
  startActiveObservation, startObservation, updateActiveObservation,
} from "@langfuse/tracing";
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, flush, langfuse, name, observations } from "./clients.mjs";

test("a tree is read as it was written", async () => {
  const called = name();
  const known = {};
  await propagateAttributes(
    { userId: "ada", sessionId: `s-${called}`, tags: ["a"], traceName: "visit", metadata: { shop: "b" }, version: "v2" },
    () =>
      startActiveObservation(called, async (agent) => {
        known.trace = getActiveTraceId();
        known.root = getActiveSpanId();
        updateActiveObservation({ input: { q: 1 }, level: "WARNING", statusMessage: "slow" }, { asType: "agent" });
        setActiveTraceAsPublic();
        const call = startObservation("answer", { model: "gpt-4o", input: "why?" }, { asType: "generation" });
        call.update({ output: "so", usageDetails: { input: 3, output: 4 }, costDetails: { input: 1, output: 2 } }).end();
        startObservation("noticed", { input: 1 }, { asType: "event" });
        agent.update({ output: "done" });
      }, { asType: "agent" }),
  );
  await flush();

  const found = await observations(known.trace, 3);

  const [top, answer] = [found[called], found.answer];
  assert.deepEqual([top.type, top.id, JSON.parse(top.input), top.output], ["AGENT", known.root, { q: 1 }, "done"]);
  assert.deepEqual([top.level, top.statusMessage, top.userId, top.sessionId], ["WARNING", "slow", "ada", `s-${called}`]);
  assert.deepEqual([top.tags, top.traceName, top.version, top.public], [["a"], "visit", "v2", true]);
  assert.deepEqual([answer.type, answer.parentObservationId, answer.model], ["GENERATION", known.root, "gpt-4o"]);
  assert.deepEqual(answer.usageDetails, { input: 3, output: 4, total: 7 });
  assert.deepEqual(answer.costDetails, { input: 1, output: 2, total: 3 });
  assert.equal(found.noticed.type, "EVENT");
  assert.match(await langfuse.getTraceUrl(known.trace), new RegExp(`/traces/${known.trace}$`));
});

test("an observed function keeps what it took, gave and threw", async () => {
  const known = {};
  const looked = observe(async (city) => { known.trace = getActiveTraceId(); return { city }; }, { name: "look", asType: "tool" });
  const failing = observe(async () => { known.failed = getActiveTraceId(); throw new Error("no such shop"); }, { name: "fail" });

  await looked("Paris");
  await assert.rejects(failing(), /no such shop/);
  await flush();

  const { look } = await observations(known.trace, 1);
  assert.deepEqual([look.type, look.input, JSON.parse(look.output)], ["TOOL", "Paris", { city: "Paris" }]);
  const { fail } = await observations(known.failed, 1);
  assert.deepEqual([fail.level, /no such shop/.test(fail.statusMessage)], ["ERROR", true]);
});

test("scores are given to traces, observations and what runs", async () => {
  const called = name();
  const known = {};
  await startActiveObservation(called, async (span) => {
    known.trace = getActiveTraceId();
    known.span = getActiveSpanId();
    langfuse.score.activeObservation({ name: "active", value: 0.5, comment: "half" });
    langfuse.score.activeTrace({ name: "whole", value: "good", dataType: "CATEGORICAL" });
    langfuse.score.observation(span, { name: "own", value: 1, dataType: "BOOLEAN" });
    langfuse.score.trace(span, { name: "trace", value: 2 });
  });
  langfuse.score.create({ id: `s-${called}`, traceId: known.trace, name: "later", value: 3 });
  await flush();
  await langfuse.score.flush();

  const scores = await eventually(async () => {
    const { data } = await langfuse.api.scoresV3.getManyV3({ traceId: known.trace, fields: "core,details,subject" });
    return data.length === 5 && Object.fromEntries(data.map((each) => [each.name, each]));
  });

  const values = Object.fromEntries(Object.values(scores).map((each) => [each.name, each.value]));
  assert.deepEqual(values, { active: 0.5, whole: "good", own: true, trace: 2, later: 3 });
  assert.deepEqual([scores.active.subject.id, scores.active.comment], [known.span, "half"]);
  assert.deepEqual([scores.later.id, scores.later.subject.kind], [`s-${called}`, "trace"]);
});

test("a file in a trace is uploaded and resolved", async () => {
  const called = name();
  const media = new LangfuseMedia({ source: "bytes", contentBytes: new TextEncoder().encode(called), contentType: "text/plain" });
  const traceId = await createTraceId(called);
  const parentSpanContext = { traceId, spanId: "0123456789abcdef", traceFlags: 1 };
  startObservation(called, { input: { file: media } }, { parentSpanContext }).end();
  await flush();

  const found = await observations(traceId, 1);
  assert.match(found[called].input, /@@@langfuseMedia:type=text\/plain\|id=/);
  const [token] = found[called].input.match(/@@@langfuseMedia:.*?@@@/);
  const resolved = await eventually(() => langfuse.media.resolveReferences({ obj: { token }, resolveWith: "base64DataUri" }));
  assert.equal(resolved.token, `data:text/plain;base64,${Buffer.from(called).toString("base64")}`);
});

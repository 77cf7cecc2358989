// Datasets and experiments over them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, flush, langfuse, name } from "./clients.mjs";

const CAPITALS = { Peru: "Lima", France: "Paris", Chad: "N'Djamena" };
const exact = async ({ output, expectedOutput }) => ({ name: "exact", value: Number(output === expectedOutput) });
const mean = async ({ itemResults }) => ({
  name: "mean", value: itemResults.reduce((sum, each) => sum + each.evaluations[0].value, 0) / itemResults.length,
});

test("a dataset is read with all of its items, and an experiment over it has its scores", async () => {
  const called = `${name()}/a b`;
  const fromStartTime = new Date(Date.now() - 60_000).toISOString();
  const made = await langfuse.api.datasets.create({ name: called, description: "capitals", metadata: { k: 1 } });
  for (const [input, expectedOutput] of Object.entries(CAPITALS))
    await langfuse.dataset.createItem({ datasetName: called, input, expectedOutput });

  const dataset = await langfuse.dataset.get(called, { fetchItemsPageSize: 2 });

  assert.deepEqual([dataset.id, dataset.description, dataset.metadata], [made.id, "capitals", { k: 1 }]);
  assert.deepEqual(Object.fromEntries(dataset.items.map((each) => [each.input, each.expectedOutput])), CAPITALS);

  const result = await dataset.runExperiment({
    name: "capitals", runName: `run ${called}`, task: async ({ input }) => (input === "Peru" ? "Lima" : "?"),
    evaluators: [exact], runEvaluators: [mean],
  });
  await flush();

  assert.deepEqual(result.itemResults.map((each) => each.output).sort(), ["?", "?", "Lima"]);
  const [found] = await eventually(async () => {
    const { data } = await langfuse.api.experiments.list({ fromStartTime, name: `run ${called}` });
    return data[0]?.itemCount === 3 && data;
  });
  assert.deepEqual([found.datasetId, found.name], [made.id, `run ${called}`]);
  const { data: items } = await langfuse.api.experiments.listItems({ fromStartTime, experimentId: found.id });
  assert.equal(new Set(items.map((each) => each.traceId)).size, 3);
  const { data: scores } = await eventually(async () => {
    const page = await langfuse.api.scoresV3.getManyV3({ experimentId: found.id });
    return page.data.length && page;
  });
  assert.deepEqual(scores.map((each) => [each.name, Math.round(each.value * 1000)]), [["mean", 333]]);
});

test("an experiment over data of one's own has its scores on traces", async () => {
  const data = Object.entries(CAPITALS).map(([input, expectedOutput]) => ({ input, expectedOutput }));

  const result = await langfuse.experiment.run({ name: name(), data, task: async () => "Lima", evaluators: [exact] });
  await flush();

  const right = result.itemResults.find((each) => each.evaluations[0].value === 1);
  const { data: scores } = await eventually(async () => {
    const page = await langfuse.api.scoresV3.getManyV3({ traceId: right.traceId });
    return page.data.length && page;
  });
  assert.deepEqual(scores.map((each) => [each.name, each.value]), [["exact", 1]]);
});

// The generated client, noun by noun.
import { LangfuseAPIClient } from "@langfuse/core";
import { startObservation } from "@langfuse/tracing";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { eventually, flush, langfuse, name, observations, watch } from "./clients.mjs";

const { api } = langfuse;
const environment = globalThis.process.env;
const organization = new LangfuseAPIClient({
  environment: environment.LANGFUSE_BASE_URL,
  username: environment.ORGANIZATION_PUBLIC_KEY,
  password: environment.ORGANIZATION_SECRET_KEY,
});
watch(organization, "api.");
const ids = (data) => data.map((each) => each.id);

test("queues, their items and assignments", async () => {
  const config = await api.scoreConfigs.create({ name: name(), dataType: "BOOLEAN" });
  assert.equal((await api.scoreConfigs.getById(config.id)).dataType, "BOOLEAN");
  assert.ok(ids((await api.scoreConfigs.get({ limit: 100 })).data).includes(config.id));
  assert.equal((await api.scoreConfigs.update(config.id, { description: "d" })).description, "d");
  const queue = await api.annotationQueues.createQueue({ name: name(), scoreConfigIds: [config.id] });
  assert.deepEqual((await api.annotationQueues.getQueue(queue.id)).scoreConfigIds, [config.id]);
  assert.ok(ids((await api.annotationQueues.listQueues({ limit: 100 })).data).includes(queue.id));
  const item = await api.annotationQueues.createQueueItem(queue.id, { objectId: name(), objectType: "TRACE" });
  assert.equal((await api.annotationQueues.getQueueItem(queue.id, item.id)).status, "PENDING");
  assert.equal((await api.annotationQueues.updateQueueItem(queue.id, item.id, { status: "COMPLETED" })).status, "COMPLETED");
  assert.deepEqual(ids((await api.annotationQueues.listQueueItems(queue.id, { status: "COMPLETED" })).data), [item.id]);
  assert.ok((await api.annotationQueues.deleteQueueItem(queue.id, item.id)).success);
  const userId = environment.USER_ID;
  assert.equal((await api.annotationQueues.createQueueAssignment(queue.id, { userId })).userId, userId);
  assert.ok((await api.annotationQueues.deleteQueueAssignment(queue.id, { userId })).success);
});

test("comments", async () => {
  const { data: [project] } = await api.projects.get();
  const observation = startObservation("commented");
  observation.end();
  await flush();
  await observations(observation.traceId, 1);
  const about = { objectType: "TRACE", objectId: observation.traceId };
  const made = await api.comments.create({ projectId: project.id, content: "well said", ...about });
  assert.equal((await api.comments.getById(made.id)).content, "well said");
  assert.deepEqual(ids((await api.comments.get(about)).data), [made.id]);
});

test("datasets, items and runs", async () => {
  const called = name();
  const made = await api.datasets.create({ name: called });
  assert.equal((await api.datasets.get(called)).id, made.id);
  assert.ok(ids((await api.datasets.list({ limit: 100 })).data).includes(made.id));
  const item = await api.datasetItems.create({ datasetName: called, input: { a: 1 }, expectedOutput: [2] });
  assert.deepEqual((await api.datasetItems.get(item.id)).input, { a: 1 });
  assert.deepEqual(ids((await api.datasetItems.list({ datasetName: called })).data), [item.id]);
  const linked = await api.datasetRunItems.create({ runName: "first", datasetItemId: item.id, traceId: name() });
  const runs = { datasetId: made.id, runName: "first" };
  assert.deepEqual(ids((await api.datasetRunItems.list(runs)).data), [linked.id]);
  assert.equal((await api.datasets.getRun(called, "first")).datasetRunItems[0].traceId, linked.traceId);
  assert.deepEqual((await api.datasets.getRuns(called)).data.map((each) => each.name), ["first"]);
  assert.ok((await api.datasets.deleteRun(called, "first")).message);
  assert.ok((await api.datasetItems.delete(item.id)).message);
});

test("events in batches, and what is read of them", async () => {
  const [traceId, called, id] = [name(), name(), name()];
  const event = (type, body) => ({ type, id: randomUUID(), timestamp: new Date().toISOString(), body });
  const batch = [
    event("trace-create", { id: traceId, name: called, userId: "ada", sessionId: called }),
    event("generation-create", { id, traceId, name: "g", model: "gpt-4o", usage: { input: 3, output: 4 } }),
  ];
  assert.deepEqual((await api.ingestion.batch({ batch })).successes.map((each) => each.status), [201, 201]);
  const score = await api.legacy.scoreV1.create({ id: `s-${id}`, traceId, name: "n", value: 0.5 });
  const trace = await eventually(async () => {
    const found = await api.trace.get(traceId);
    return found.observations.length === 1 && found.scores.length === 1 && found;
  });
  assert.deepEqual([trace.name, trace.userId, trace.observations[0].usageDetails.total], [called, "ada", 7]);
  assert.deepEqual(ids((await api.trace.list({ name: called })).data), [traceId]);
  assert.equal((await api.legacy.observationsV1.get(id)).model, "gpt-4o");
  assert.deepEqual(ids((await api.legacy.observationsV1.getMany({ traceId })).data), [id]);
  assert.deepEqual(ids((await api.sessions.get(called)).traces), [traceId]);
  assert.ok(ids((await api.sessions.list({ limit: 100 })).data).includes(called));
  assert.equal((await api.scores.getById(score.id)).value, 0.5);
  assert.deepEqual(ids((await api.scores.getMany({ name: "n", traceId })).data), [score.id]);
  await api.legacy.scoreV1.delete(score.id);
  assert.ok((await api.trace.delete(traceId)).message);
  assert.ok((await api.trace.deleteMultiple({ traceIds: [traceId] })).message);
});

test("scores in arrays", async () => {
  const traceId = name();
  const told = await api.scores.create([{ id: `s-${traceId}`, traceId, name: "n", value: 1 }]);
  assert.equal(told.message, "Accepted");
  const { data: [found] } = await eventually(async () => {
    const page = await api.scoresV3.getManyV3({ traceId });
    return page.data.length && page;
  });
  assert.deepEqual([found.id, found.value], [`s-${traceId}`, 1]);
});

test("figures and health", async () => {
  const now = Date.now();
  const query = JSON.stringify({
    view: "observations", metrics: [{ measure: "count", aggregation: "count" }], dimensions: [], filters: [],
    fromTimestamp: new Date(now - 3_600_000).toISOString(), toTimestamp: new Date(now + 3_600_000).toISOString(),
  });
  const [newer, older] = [await api.metrics.metrics({ query }), await api.legacy.metricsV1.metrics({ query })];
  assert.ok(Number(newer.data[0].count_count) > 0 && Number(older.data[0].count_count) > 0);
  assert.equal((await api.health.health()).status, "OK");
  assert.deepEqual(await api.opentelemetry.exportTraces({ resourceSpans: [] }), {});
});

test("models and connections", async () => {
  const modelName = name();
  const made = await api.models.create({ modelName, matchPattern: `^${modelName}$`, unit: "TOKENS", inputPrice: 0.25 });
  assert.equal((await api.models.get(made.id)).prices.input.price, 0.25);
  assert.ok(ids((await api.models.list({ limit: 100 })).data).includes(made.id));
  const [put, anew] = [{ modelName, matchPattern: "^m$", unit: "TOKENS" }, name()];
  assert.equal((await api.models.upsert(made.id, { ...put, inputPrice: 0.5 })).prices.input.price, 0.5);
  assert.equal((await api.models.upsert(anew, { ...put, modelName: anew, totalPrice: 2 })).id, anew);
  await api.models.delete(made.id);
  await assert.rejects(api.models.get(made.id), { statusCode: 404 });
  const provider = name();
  const connection = await api.llmConnections.upsert({ provider, adapter: "openai", secretKey: "sk-very-secret" });
  assert.ok(!connection.displaySecretKey.includes("very"));
  assert.ok(ids((await api.llmConnections.list({ limit: 100 })).data).includes(connection.id));
  assert.ok((await api.llmConnections.delete(connection.id)).message);
});

test("prompts", async () => {
  const called = name();
  const made = await api.prompts.create({ type: "text", name: called, prompt: "one", labels: ["a"] });
  assert.equal((await api.prompts.get(called, { label: "a" })).prompt, "one");
  assert.deepEqual((await api.prompts.list({ name: called })).data[0].versions, [made.version]);
  assert.ok((await api.promptVersion.update(called, 1, { newLabels: ["b"] })).labels.includes("b"));
  await api.prompts.delete(called);
  await assert.rejects(api.prompts.get(called), { statusCode: 404 });
});

test("files", async () => {
  const content = Buffer.from(name());
  const digest = await crypto.subtle.digest("SHA-256", content);
  const sha256Hash = Buffer.from(digest).toString("base64");
  const asked = { traceId: name(), contentType: "text/plain", contentLength: content.length, sha256Hash, field: "input" };
  const { mediaId, uploadUrl } = await api.media.getUploadUrl(asked);
  const headers = { "content-type": "text/plain", "x-amz-checksum-sha256": sha256Hash };
  const put = await fetch(uploadUrl, { method: "PUT", body: content, headers });
  await api.media.patch(mediaId, { uploadedAt: new Date().toISOString(), uploadHttpStatus: put.status });
  const { url } = await api.media.get(mediaId);
  assert.equal(await (await fetch(url)).text(), content.toString());
});

test("dashboards and widgets", async () => {
  const { dashboards, dashboardWidgets } = api.unstable;
  const widget = await dashboardWidgets.create({
    name: name(), view: "observations", dimensions: [], metrics: [{ measure: "totalCost", agg: "sum" }], filters: [],
    chartType: "NUMBER",
  });
  assert.equal((await dashboardWidgets.get(widget.id)).chartType, "NUMBER");
  assert.equal((await dashboardWidgets.update(widget.id, { description: "d" })).description, "d");
  assert.ok(ids((await dashboardWidgets.list({ limit: 100 })).data).includes(widget.id));
  const board = await dashboards.create({ name: name() });
  const placed = await dashboards.addPlacement(board.id, { type: "widget", widgetId: widget.id, x: 0, y: 0, width: 6, height: 4 });
  assert.equal((await dashboards.updatePlacement(board.id, placed.id, { x: 6 })).x, 6);
  assert.deepEqual(ids((await dashboards.get(board.id)).definition.widgets), [placed.id]);
  assert.equal((await dashboards.update(board.id, { description: "d" })).description, "d");
  assert.ok(ids((await dashboards.list({ limit: 100 })).data).includes(board.id));
  await dashboards.deletePlacement(board.id, placed.id);
  assert.ok((await dashboards.delete(board.id)).message);
  assert.ok((await dashboardWidgets.delete(widget.id)).message);
});

test("projects, keys and members, by the key of an organization", async () => {
  const { organizations, projects } = organization;
  const userId = environment.USER_ID;
  const made = await projects.create({ name: name(), retention: 0, metadata: { team: "red" } });
  assert.ok(ids((await organizations.getOrganizationProjects()).projects).includes(made.id));
  assert.deepEqual((await projects.update(made.id, { name: name(), metadata: { team: "blue" } })).metadata, { team: "blue" });
  const key = await projects.createApiKey(made.id, { note: "n" });
  assert.ok(ids((await projects.getApiKeys(made.id)).apiKeys).includes(key.id));
  assert.ok((await projects.deleteApiKey(made.id, key.id)).success);
  assert.equal((await organizations.updateProjectMembership(made.id, { userId, role: "VIEWER" })).role, "VIEWER");
  assert.equal((await organizations.getProjectMemberships(made.id)).memberships[0].userId, userId);
  assert.equal((await organizations.deleteProjectMembership(made.id, { userId })).userId, userId);
  assert.ok((await projects.delete(made.id)).success);
  assert.ok((await organizations.getOrganizationApiKeys()).apiKeys.length >= 1);
});

test("members come and go by SCIM", async () => {
  const { organizations, scim } = organization;
  const userName = `${name()}@example.org`;
  const made = await scim.createUser({ userName, name: { formatted: "Ada Byron" } });
  assert.equal((await scim.getUser(made.id)).userName, userName);
  assert.equal((await scim.listUsers({ filter: `userName eq "${userName}"` })).totalResults, 1);
  assert.equal((await organizations.updateOrganizationMembership({ userId: made.id, role: "MEMBER" })).role, "MEMBER");
  const { memberships } = await organizations.getOrganizationMemberships();
  assert.ok(memberships.some((each) => each.userId === made.id));
  assert.equal((await organizations.deleteOrganizationMembership({ userId: made.id })).userId, made.id);
  await organizations.updateOrganizationMembership({ userId: made.id, role: "VIEWER" });
  await scim.deleteUser(made.id);
  assert.equal((await scim.listUsers({ filter: `userName eq "${userName}"` })).totalResults, 0);
  assert.ok((await scim.getServiceProviderConfig()).filter.supported);
  assert.ok((await scim.getResourceTypes()).Resources.length >= 1);
  assert.ok((await scim.getSchemas()).Resources.length >= 1);
});

test("integrations with blob storage, and feedback", async () => {
  const { blobStorageIntegrations } = organization;
  const { data: [{ id: projectId }] } = await api.projects.get();
  const made = await blobStorageIntegrations.upsertBlobStorageIntegration({
    projectId, type: "S3_COMPATIBLE", bucketName: "warehouse", region: "auto", endpoint: "https://store.example.org",
    accessKeyId: "AKIA1", secretAccessKey: "very secret", prefix: "h/", exportFrequency: "hourly", enabled: true,
    forcePathStyle: true, fileType: "JSONL", exportMode: "FROM_TODAY",
  });
  assert.deepEqual([made.projectId, made.bucketName], [projectId, "warehouse"]);
  assert.ok(ids((await blobStorageIntegrations.getBlobStorageIntegrations()).data).includes(made.id));
  assert.equal((await blobStorageIntegrations.getBlobStorageIntegrationStatus(made.id)).enabled, true);
  assert.ok((await blobStorageIntegrations.deleteBlobStorageIntegration(made.id)).message);
  assert.ok((await api.feedback.submit({ targetType: "public-api", target: "GET /traces", feedback: "fast" })).id);
});

test("evaluators and rules", async () => {
  const judge = { type: "llm_as_judge", prompt: "Is {{output}} right?", outputDefinition: { dataType: "BOOLEAN" } };
  const made = await api.evaluators.create({ name: name(), ...judge });
  assert.deepEqual([made.version, made.variables], [1, ["output"]]);
  assert.equal((await api.evaluators.update(made.id, { ...judge, prompt: "{{output}}?" })).version, 2);
  assert.deepEqual((await api.evaluators.listVersions(made.id)).data.map((each) => each.version), [2, 1]);
  assert.ok(ids((await api.evaluators.list({ limit: 100 })).data).includes(made.id));
  const variableMapping = [{ variable: "output", source: "output" }];
  const evaluatorAssignments = [{ evaluatorId: made.id, variableMapping }];
  const rule = await api.evaluationRules.create({ name: name(), enabled: false, evaluatorAssignments });
  assert.deepEqual((await api.evaluationRules.get(rule.id)).evaluatorAssignments, evaluatorAssignments);
  assert.equal((await api.evaluationRules.update(rule.id, { sampling: 0.5 })).sampling, 0.5);
  assert.ok(ids((await api.evaluationRules.list({ limit: 100 })).data).includes(rule.id));
  assert.equal((await api.evaluators.get(made.id)).evaluationRuleAssignments[0].evaluationRuleId, rule.id);
  assert.equal((await api.evaluationRules.delete(rule.id)).id, rule.id);
  assert.equal((await api.evaluators.delete(made.id)).id, made.id);
});

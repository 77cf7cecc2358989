// What is not asked, and why.
const named = (noun, methods, reason) => Object.fromEntries(methods.map((each) => [`api.${noun}.${each}`, reason]));

export const UNANSWERED = {
  "score.shutdown": "ends the client",
  ...named("models", ["upsert"], "is not answered yet"),
  ...named("evaluators", ["create", "delete", "get", "list", "listVersions", "update"], "is not answered yet"),
  ...named("evaluationRules", ["create", "delete", "get", "list", "update"], "is not answered yet"),
};

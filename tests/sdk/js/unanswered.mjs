// What is not asked, and why.
const named = (noun, methods, reason) => Object.fromEntries(methods.map((each) => [`api.${noun}.${each}`, reason]));

export const UNANSWERED = {
  "score.shutdown": "ends the client",
  ...named("models", ["upsert"], "is not answered yet"),
};

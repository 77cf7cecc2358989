// What is not asked, and why.
export const UNANSWERED = { "score.shutdown": "ends the client" };

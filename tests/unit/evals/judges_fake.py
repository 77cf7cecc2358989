"""A judge that answers from a list, and remembers what it was asked."""

import json
from collections.abc import Mapping
from typing import Any

from heliograph.domain.evaluators import Answer, Prompt, Spending

COST = Spending(100, 20, 0.001, 1)


def said(score: object, reasoning: str = "because") -> Answer:
    return Answer(json.dumps({"reasoning": reasoning, "score": score}), spending=COST)


class ScriptedJudge:
    """Gives its answers in turn, the last one for ever; raises those that are errors."""

    def __init__(self, *answers: Answer | Exception, identity: str = "scripted") -> None:
        self.identity = identity
        self._answers = list(answers)
        self.asked: list[Prompt] = []
        self.schemas: list[Mapping[str, Any]] = []

    async def ask(self, prompt: Prompt, schema: Mapping[str, Any]) -> Answer:
        self.asked.append(prompt)
        self.schemas.append(schema)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

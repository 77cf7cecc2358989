"""A judge that is asked by batches: it knows what was answered before, and gathers what was not."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from evals.errors import AnswerPending, call_failed
from evals.judging.cache import AnswerCache, question_key
from evals.judging.models import ModelJudge
from evals.judging.paid import Tariff
from evals.judging.recorded import RecordedCall, calls_of_evaluation
from evals.providers.completions import body_of
from heliograph.domain.evaluators import Answer, Prompt, Spending
from heliograph.domain.judge_batches import NotAnswered


@dataclass(frozen=True)
class Question:
    """What a batch is to ask: the body of a request, and what its answer can cost at most."""

    key: str
    body: Mapping[str, Any]
    units: int


class BatchAnswers(Protocol):
    """What the batches of a run have answered."""

    async def get(self, key: str) -> Answer | NotAnswered | None:
        """The answer, or why there will be none; None while nobody knows."""
        ...


class BatchedJudge:
    """Answers from what batches have answered, or any judge before; else notes the question, and raises.

    Args:
        judge: the model that is asked.
        tariff: bounds what a question costs.
        answers: of the run's batches.
        cache: of the project.
    """

    def __init__(self, judge: ModelJudge, tariff: Tariff, *, answers: BatchAnswers, cache: AnswerCache) -> None:
        self._judge, self._tariff, self._answers, self._cache = judge, tariff, answers, cache
        self.questions: dict[str, Question] = {}
        self._told: set[str] = set()

    @property
    def identity(self) -> str:
        return self._judge.identity

    async def ask(self, prompt: Prompt, schema: Mapping[str, Any]) -> Answer:
        """A known answer.

        Raises:
            AnswerPending: the question waits for a batch.
            CallFailed: the provider could not answer it.
        """
        key = question_key(self.identity, prompt, schema)
        answer = await self._answers.get(key)
        if isinstance(answer, NotAnswered):
            raise call_failed(answer.cause, self._judge.model, answer.reason)
        if answer is None:
            known = await self._cache.get(key)
            answer = known and replace(known, spending=Spending())
        if answer is None:
            bound = self._tariff.bound(prompt, schema)
            self.questions[key] = Question(key, body_of(self._judge.request(prompt, schema)), bound)
            raise AnswerPending(self.identity)
        return self._recorded(key, prompt, answer)

    def _recorded(self, key: str, prompt: Prompt, answer: Answer) -> Answer:
        """An answer that several targets share is shown, and counted, with the first of them."""
        if not answer.spending.calls or key in self._told:
            return replace(answer, spending=Spending())
        self._told.add(key)
        calls = calls_of_evaluation.get()
        if calls is not None:
            now = time.time_ns()
            calls.append(RecordedCall(prompt, now, now, answer, cost_usd=answer.spending.cost_usd))
        return answer

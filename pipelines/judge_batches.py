"""Judges of a part that are asked by batches of their providers: submitted once, collected once, whoever dies."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from evals.errors import BudgetExhausted, RequestInvalid, call_failed
from evals.judging.batched import BatchedJudge, Question
from evals.judging.cache import is_kept
from evals.judging.paid import Tariff
from evals.providers.batches import MAX_BYTES, MAX_REQUESTS, PRICE_SHARE, Answered, ProviderBatches, line
from evals.providers.connections import reached
from evals.providers.library import loaded
from heliograph.domain.budgets import BudgetRequest
from heliograph.domain.costs import UNITS_PER_DOLLAR
from heliograph.domain.evaluation_runs import JudgeSpec
from heliograph.domain.evaluators import Answer
from heliograph.domain.judge_batches import JudgeBatch, NotAnswered
from pipelines.evaluation_judges import BLOCKS
from pipelines.judge_stores import JudgeStores, tariff_of
from storage.postgres.judge_batches import JudgeBatches

# So many in a row that gave no answer are enough.
_MAX_FRUITLESS = 3
# Why a provider refuses a batch that it may take later: too much of the account is queued.
_PASSING = ("token_limit_exceeded", "rate_limit", "quota_exceeded")
_ALL = 1 << 62


class PartBatches:
    """The batches of one part of a run.

    Args:
        batches: of the run.
        stores: what judges are made of.
        part: its number.
    """

    def __init__(self, batches: JudgeBatches, stores: JudgeStores, *, run_id: str, part: int) -> None:
        self._batches, self._stores, self._run_id, self._part = batches, stores, run_id, part

    async def collect(self) -> bool:
        """Take in what was answered; whether nothing is on its way any more.

        Raises:
            CallFailed: the provider cannot be asked.
        """
        are_collected = [await self._collect(batch) for batch in await self._batches.open(self._part)]
        return all(are_collected)

    async def cancel(self) -> bool:
        """Have nothing more answered; whether nothing is on its way any more. Raises as `collect`."""
        for batch in await self._batches.open(self._part):
            async with self._provider(batch.judge) as provider:
                if provider_id := batch.provider_id or await provider.find(batch.id, batch.created_at):
                    await provider.cancel(provider_id)
        return await self.collect()

    async def submit(self, judges: Sequence[tuple[JudgeSpec, BatchedJudge]]) -> None:
        """Have the questions asked that the judges have no answer to, as far as there is money for them.

        Raises:
            BudgetExhausted: there is money for none, and none that will be given back.
            CallFailed: the provider does not take them.
        """
        if await self._batches.fruitless(self._part) >= _MAX_FRUITLESS:
            reason = f"{_MAX_FRUITLESS} batches in a row brought no answer"
            keys = [key for _, judge in judges for key in judge.questions]
            await self._batches.keep_answers(dict.fromkeys(keys, NotAnswered("BatchUnanswered", reason)))
            return
        for spec, judge in judges:
            for questions in _portions(judge.questions.values()):
                await self._submit(spec, questions)

    async def _submit(self, spec: JudgeSpec, questions: Sequence[Question]) -> None:
        # 1. Note that there may be such a batch.
        batch = await self._batches.prepare(self._part, spec, len(questions))
        # 2. Reserve what it can cost, under a name of its own: it outlives whoever submits it.
        bounds = tuple(question.units for question in questions)
        granted = await self._stores.gate.request(self._run_id, BudgetRequest(batch.holder, 1, bounds))
        if not granted:
            await self._batches.end(batch, answered=0, spent=0, reason=BudgetExhausted.__name__)
            if await self._batches.open():
                return
            raise BudgetExhausted(bounds[0] / UNITS_PER_DOLLAR)
        # 3. Have the provider take it; killed from here on, it is found there by its id.
        async with self._provider(spec) as provider:
            lines = (line(question.key, question.body) for question in questions[:granted])
            provider_id = await provider.submit(batch.id, lines)
        # 4. Note what the provider calls it.
        await self._batches.note_submitted(batch, provider_id)

    async def _collect(self, batch: JudgeBatch) -> bool:
        async with self._provider(batch.judge) as provider:
            provider_id = batch.provider_id or await provider.find(batch.id, batch.created_at)
            if provider_id is None:
                await self._settle(batch, {}, reason="it was not submitted")
                return True
            status = await provider.status(provider_id)
            if not status.has_ended:
                return False
            answered = await provider.answers(status)
        tariff = self._tariff(batch.judge)
        answers = {one.key: found for one in answered if (found := _noted(one, tariff)) is not None}
        # Each step may be repeated: answers that are kept stay, and money is settled once.
        await self._batches.keep_answers(answers)
        # No other question escapes these, and a person may remove them: they are asked again.
        stop = next((one for one in answered if one.cause in BLOCKS), None)
        fruitless = stop.reason if stop and not answers else status.reason
        await self._settle(batch, answers, reason="" if answered and not stop else fruitless)
        if stop is not None:
            raise call_failed(stop.cause, batch.judge.model, stop.reason)
        if status.reason and not answered and not any(sign in status.reason for sign in _PASSING):
            raise RequestInvalid(batch.judge.model, status.reason)
        return True

    async def _settle(self, batch: JudgeBatch, answers: Mapping[str, Answer | NotAnswered], *, reason: str) -> None:
        given = {key: answer for key, answer in answers.items() if isinstance(answer, Answer)}
        for key, answer in given.items():
            if is_kept(answer):
                await self._stores.cache.put(key, answer)
        await self._stores.cache.settle()
        spent = round(sum(answer.spending.cost_usd or 0.0 for answer in given.values()) * UNITS_PER_DOLLAR)
        await self._stores.gate.request(self._run_id, BudgetRequest(batch.holder, 2, (), _ALL, spent))
        await self._batches.end(batch, answered=len(answers), spent=spent, reason=reason)

    @asynccontextmanager
    async def _provider(self, spec: JudgeSpec) -> AsyncIterator[ProviderBatches]:
        await loaded()
        opened = await self._stores.connections.opened(spec.provider)
        async with ProviderBatches(reached(opened, spec.model, self._stores.outbound)) as provider:
            yield provider

    def _tariff(self, spec: JudgeSpec) -> Tariff:
        tariff = tariff_of(self._stores.prices, spec)
        # A price that was taken away since: what is answered has cost nothing that could be known.
        return tariff.at(PRICE_SHARE) if tariff else Tariff(0.0, 0.0, spec.max_tokens)


def _noted(one: Answered, tariff: Tariff) -> Answer | NotAnswered | None:
    """What is kept of an answer; nothing of a failure that another batch may not meet."""
    if one.answer is None:
        return None if one.is_passing or one.cause in BLOCKS else NotAnswered(one.cause, one.reason)
    used = one.answer.spending
    cost = tariff.units(used.input_tokens, used.output_tokens) / UNITS_PER_DOLLAR
    return replace(one.answer, spending=replace(used, cost_usd=cost))


def _portions(questions: Iterable[Question]) -> Iterator[list[Question]]:
    """As many at a time as one batch holds."""
    portion: list[Question] = []
    size = 0
    for question in questions:
        length = len(line(question.key, question.body))
        if portion and (len(portion) >= MAX_REQUESTS or size + length > MAX_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(question)
        size += length
    if portion:
        yield portion

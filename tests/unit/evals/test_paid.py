"""A judge that pays: what is reserved, what is settled, and when it is not asked at all."""

import asyncio
from collections.abc import Sequence

import pytest

from actors.budget import BudgetGate
from actors.purse import Purse
from evals.errors import BudgetExhausted, CallTimedOut, JudgeUnbounded, RequestInvalid
from evals.judging.paid import PaidJudge, Tariff
from heliograph.domain.budgets import BudgetRequest
from heliograph.domain.errors import Unavailable
from heliograph.domain.evaluators import Answer, Message, Spending
from tests.unit.evals.judges_fake import ScriptedJudge

PROMPT = (Message("user", "x" * 100),)
TARIFF = Tariff(1e-6, 2e-6, 50)


class Counted:
    """A budget in memory, whose answers may be lost."""

    def __init__(self, limit: int) -> None:
        self.limit, self.reserved, self.spent, self.calls, self.lost = limit, 0, 0, 0, 0
        self._seen: dict[str, tuple[int, int]] = {}

    async def carry_out(self, _budget_id: str, requests: Sequence[BudgetRequest]) -> dict[str, int]:
        self.calls += 1
        await asyncio.sleep(0.001)
        granted = {}
        for request in requests:
            number, answer = self._seen.get(request.holder, (0, 0))
            if request.number > number:
                self.reserved -= request.settled
                self.spent += request.spent
                answer = 0
                for units in request.reserved:
                    if self.spent + self.reserved + units > self.limit:
                        break
                    self.reserved += units
                    answer += 1
                self._seen[request.holder] = request.number, answer
            granted[request.holder] = answer
        if self.lost:
            self.lost -= 1
            raise Unavailable("PostgreSQL", 0.0)
        return granted


def answered(tokens: int = 10) -> Answer:
    return Answer("{}", spending=Spending(tokens, tokens, None, 1))


async def test_a_call_costs_its_tokens_and_the_rest_is_returned() -> None:
    store = Counted(10**12)
    async with Purse(BudgetGate(store), "b", "h") as purse:
        await PaidJudge(ScriptedJudge(answered()), TARIFF, purse).ask(PROMPT, {})
    assert (store.reserved, store.spent) == (0, TARIFF.units(10, 10))
    assert purse.spent == store.spent


async def test_a_refused_call_costs_nothing_and_one_that_timed_out_costs_its_bound() -> None:
    store = Counted(10**12)
    async with Purse(BudgetGate(store), "b", "h") as purse:
        for error in (RequestInvalid("m", "no"), CallTimedOut("m", "late")):
            with pytest.raises(type(error)):
                await PaidJudge(ScriptedJudge(error), TARIFF, purse).ask(PROMPT, {})
    assert (store.reserved, store.spent) == (0, TARIFF.bound(PROMPT, {}))


async def test_a_call_that_does_not_fit_is_not_made() -> None:
    judge = ScriptedJudge(answered())
    async with Purse(BudgetGate(Counted(TARIFF.bound(PROMPT, {}) - 1)), "b", "h") as purse:
        with pytest.raises(BudgetExhausted):
            await PaidJudge(judge, TARIFF, purse).ask(PROMPT, {})
    assert not judge.asked


async def test_a_judge_without_a_price_is_refused() -> None:
    with pytest.raises(JudgeUnbounded):
        PaidJudge(ScriptedJudge(answered()), None, Purse(BudgetGate(Counted(1)), "b", "h"))


async def test_callers_at_once_make_few_requests_and_lost_answers_are_asked_for_again() -> None:
    store = Counted(40)
    store.lost = 2
    gate = BudgetGate(store)
    async with Purse(gate, "b", "h") as purse:
        found = await asyncio.gather(*(purse.reserve(1) for _ in range(50)), return_exceptions=True)
        assert sum(one is None for one in found) == 40
        for one in found:
            if one is None:
                purse.settle(1, 1)
    assert (store.reserved, store.spent) == (0, 40)
    assert store.calls < 8

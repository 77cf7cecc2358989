"""Budgets in PostgreSQL: whatever happens in whatever order, no more is spent and reserved than the limit."""

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from heliograph.domain.budgets import BudgetRequest
from storage.postgres.budgets import Budgets
from storage.postgres.connection import Database

LIMIT = 1_000
HOLDERS = st.sampled_from(["a", "b", "c"])


async def test_a_request_that_is_repeated_is_carried_out_once(database: Database) -> None:
    budgets, name = Budgets(database), uuid.uuid4().hex
    await budgets.open(name, 100)
    asked = BudgetRequest("h", 1, (40, 40, 40))
    assert await budgets.carry_out(name, [asked]) == {"h": 2}
    assert await budgets.carry_out(name, [asked]) == {"h": 2}
    status = await budgets.status(name)
    assert status is not None
    assert (status.reserved, status.left) == (80, 20)


async def test_what_a_dead_holder_held_is_spent_and_its_late_word_changes_nothing(database: Database) -> None:
    budgets, name = Budgets(database), uuid.uuid4().hex
    await budgets.open(name, 100)
    await budgets.carry_out(name, [BudgetRequest("h", 1, (40,))])
    assert await budgets.forfeit(name, ["h"]) == 40
    assert await budgets.carry_out(name, [BudgetRequest("h", 2, (10,), 40, 5)]) == {"h": 0}
    status = await budgets.status(name)
    assert status is not None
    assert (status.spent, status.reserved, status.unknown) == (40, 0, 40)


async def test_holders_at_once_never_reserve_more_than_there_is(database: Database) -> None:
    budgets, name = Budgets(database), uuid.uuid4().hex
    await budgets.open(name, 100)
    asked = [BudgetRequest(f"h{number}", 1, (30,)) for number in range(8)]
    granted = await asyncio.gather(*(budgets.carry_out(name, [one]) for one in asked))
    assert sum(sum(one.values()) for one in granted) == 3


class Spenders(RuleBasedStateMachine):
    """Holders that reserve, settle, repeat themselves and die; a model of what each of them holds."""

    call: Callable[[Callable[[Budgets], Coroutine[Any, Any, Any]]], Any]

    def __init__(self) -> None:
        super().__init__()
        self.name = uuid.uuid4().hex
        self.numbers = dict.fromkeys("abc", 0)
        self.held: dict[str, list[int]] = {holder: [] for holder in "abc"}
        self.lives = dict.fromkeys("abc", 0)
        self.last: dict[str, tuple[BudgetRequest, int]] = {}
        self.spent = self.unknown = 0
        self.run(lambda budgets: budgets.open(self.name, LIMIT))

    def run(self, act: Callable[[Budgets], Coroutine[Any, Any, Any]]) -> Any:
        return type(self).call(act)

    @rule(holder=HOLDERS, amounts=st.lists(st.integers(1, 400), max_size=3), share=st.integers(0, 100))
    def reserve_and_settle(self, holder: str, amounts: list[int], share: int) -> None:
        ended = self.held[holder][: len(self.held[holder]) * share // 100]
        costs = sum(amount * share // 100 for amount in ended)
        self.numbers[holder] += 1
        name = f"{holder}{self.lives[holder]}"
        request = BudgetRequest(name, self.numbers[holder], tuple(amounts), sum(ended), costs)
        granted = self.run(lambda budgets: budgets.carry_out(self.name, [request]))[name]
        self.held[holder] = self.held[holder][len(ended) :] + amounts[:granted]
        self.spent += costs
        self.last[holder] = request, granted
        left = LIMIT - self.spent - sum(map(sum, self.held.values()))
        assert granted == len(amounts) or amounts[granted] > left

    @rule(holder=HOLDERS)
    def repeat(self, holder: str) -> None:
        if holder in self.last:
            request, granted = self.last[holder]
            assert self.run(lambda budgets: budgets.carry_out(self.name, [request])) == {request.holder: granted}

    @rule(holder=HOLDERS)
    def die(self, holder: str) -> None:
        lost = self.run(lambda budgets: budgets.forfeit(self.name, [f"{holder}{self.lives[holder]}"]))
        assert lost == sum(self.held[holder])
        self.spent += lost
        self.unknown += lost
        self.held[holder], self.numbers[holder] = [], 0
        self.lives[holder] += 1
        self.last.pop(holder, None)

    @invariant()
    def the_store_agrees_and_the_limit_holds(self) -> None:
        status = self.run(lambda budgets: budgets.status(self.name))
        assert (status.spent, status.unknown) == (self.spent, self.unknown)
        assert status.reserved == sum(map(sum, self.held.values()))
        assert status.spent + status.reserved <= LIMIT


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_spent_and_reserved_never_exceed_the_limit_in_any_order(dsn: str) -> None:
    with asyncio.Runner() as runner:
        database = Database(dsn)
        Spenders.call = lambda act: runner.run(act(Budgets(database)))
        checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
        run_state_machine_as_test(
            Spenders, settings=settings(max_examples=12, stateful_step_count=20, suppress_health_check=checks)
        )
        runner.run(database.close())

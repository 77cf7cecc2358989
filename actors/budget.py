"""Budgets of the whole cluster: requests that arrive together are carried out as one. A plain class."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from heliograph.domain.budgets import BudgetRequest


class BudgetStore(Protocol):
    """Where budgets are kept; see `storage.postgres.budgets.Budgets`. Raises Unavailable."""

    async def carry_out(self, budget_id: str, requests: Sequence[BudgetRequest]) -> Mapping[str, int]:
        """How many reservations were granted, by holder."""
        ...


class BudgetGate:
    """Carries out requests, those of one budget one batch after the other.

    It keeps no state that matters: the store decides, and has stored what it granted. A second one beside it, or the
    next one after a kill, grants nothing twice.
    """

    def __init__(self, store: BudgetStore) -> None:
        self._store = store
        self._waiting: dict[str, list[tuple[BudgetRequest, asyncio.Future[int]]]] = {}
        self._batches: set[asyncio.Task[None]] = set()

    async def request(self, budget_id: str, request: BudgetRequest) -> int:
        """How many of the reservations were granted, once that is durable.

        Raises:
            Unavailable: PostgreSQL is away. Whether it was carried out is unknown: send the same request again.
        """
        answer = asyncio.get_running_loop().create_future()
        if budget_id in self._waiting:
            self._waiting[budget_id].append((request, answer))
        else:
            self._waiting[budget_id] = [(request, answer)]
            task = asyncio.create_task(self._work(budget_id))
            self._batches.add(task)
            task.add_done_callback(self._batches.discard)
        return await asyncio.shield(answer)

    async def _work(self, budget_id: str) -> None:
        while batch := self._waiting[budget_id]:
            # A holder that repeats itself is answered by the first of its requests, which is the same.
            self._waiting[budget_id] = []
            try:
                granted = await self._store.carry_out(budget_id, list({one.holder: one for one, _ in batch}.values()))
            except Exception as error:  # noqa: BLE001 - whatever it is, each caller is to be answered
                for _, answer in batch:
                    _fail(answer, error)
                continue
            for one, answer in batch:
                if not answer.done():
                    answer.set_result(granted[one.holder])
        del self._waiting[budget_id]


def _fail(answer: "asyncio.Future[int]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # nobody may be waiting any more

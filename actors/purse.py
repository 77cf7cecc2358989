"""A budget as one spender uses it: requests are gathered while one is on its way, and repeated until answered."""

import asyncio
import contextlib
from collections import deque
from typing import NamedTuple, Protocol, Self

from evals.errors import BudgetExhausted
from heliograph.domain.budgets import BudgetRequest
from heliograph.domain.errors import Unavailable

_RETRY_SECONDS = 0.5


class Gate(Protocol):
    """What carries out requests, wherever it runs. Raises Unavailable when it cannot be reached."""

    async def request(self, budget_id: str, request: BudgetRequest) -> int:
        """See BudgetGate.request."""
        ...


class _Reservation(NamedTuple):
    units: int
    granted: "asyncio.Future[bool]"


class Purse:
    """Reserves and settles for one holder. Use it as a context: what has ended is settled at its end.

    Args:
        gate: of the cluster's budgets.
        budget_id: which one.
        holder: a name that was never used before: what it holds, should this process die, is forfeited by it.
    """

    def __init__(self, gate: Gate, budget_id: str, holder: str) -> None:
        self._gate, self._budget_id, self.holder = gate, budget_id, holder
        self._waiting: deque[_Reservation] = deque()
        self._settled = self._spent = 0
        self._number = 0
        self._working: asyncio.Task[None] | None = None
        self.spent = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._settled or self._waiting:
            self._start()
        if self._working is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._working

    async def reserve(self, units: int) -> None:
        """Return when so much is reserved; raises BudgetExhausted."""
        reservation = _Reservation(units, asyncio.get_running_loop().create_future())
        self._waiting.append(reservation)
        self._start()
        try:
            is_granted = await reservation.granted
        except asyncio.CancelledError:
            if reservation.granted.done() and not reservation.granted.cancelled() and reservation.granted.result():
                self.settle(units, 0)
            raise
        if not is_granted:
            raise BudgetExhausted(units / 10**12)

    def settle(self, reserved: int, spent: int) -> None:
        """Tell what a call has cost for which so much was reserved."""
        self._settled += reserved
        self._spent += spent
        self.spent += spent
        self._start()

    def _start(self) -> None:
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        # Whoever asks in this turn of the loop joins.
        await asyncio.sleep(0)
        while self._waiting or self._settled:
            asked = [one for one in self._waiting if not one.granted.done()]
            self._waiting.clear()
            self._number += 1
            reserved = tuple(one.units for one in asked)
            request = BudgetRequest(self.holder, self._number, reserved, self._settled, self._spent)
            self._settled = self._spent = 0
            granted = await self._answer(request)
            for place, one in enumerate(asked):
                if not one.granted.done():
                    one.granted.set_result(place < granted)
                elif place < granted:
                    # Cancelled meanwhile: nobody spends it.
                    self._settled += one.units

    async def _answer(self, request: BudgetRequest) -> int:
        while True:
            try:
                return await self._gate.request(self._budget_id, request)
            except Unavailable:
                await asyncio.sleep(_RETRY_SECONDS)

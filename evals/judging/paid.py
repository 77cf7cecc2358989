"""A judge that spends what was reserved: an upper bound before each call, its actual cost after it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from evals.errors import CallFailed, CallTimedOut, JudgeUnbounded
from heliograph.domain.costs import UNITS_PER_DOLLAR
from heliograph.domain.evaluators import Answer, Judge, Prompt

Found = TypeVar("Found")
# Around each message and each request providers add a few tokens of their own.
_TOKENS_PER_MESSAGE = 16
_TOKENS_PER_REQUEST = 64


class Money(Protocol):
    """A budget; see `actors.purse.Purse`."""

    async def reserve(self, units: int) -> None:
        """Return when so much is reserved; raises BudgetExhausted."""

    def settle(self, reserved: int, spent: int) -> None:
        """Tell what became of a reservation."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a model costs: dollars for a token, and how many tokens it may answer at most."""

    input_usd: float
    output_usd: float
    max_output_tokens: int

    def at(self, share: float) -> "Tariff":
        """The same at a share of the price."""
        return Tariff(self.input_usd * share, self.output_usd * share, self.max_output_tokens)

    def bound(self, prompt: Prompt, schema: Mapping[str, Any]) -> int:
        """What a call can cost at most, in units of 10⁻¹² dollars.

        No tokenizer makes more tokens of a text than it has bytes.
        """
        texts = sum(len(message.content.encode()) + _TOKENS_PER_MESSAGE for message in prompt)
        tokens = texts + len(json.dumps(schema).encode()) + _TOKENS_PER_REQUEST
        return self.units(tokens, self.max_output_tokens)

    def units(self, input_tokens: int, output_tokens: int) -> int:
        """What so many tokens cost, in units of 10⁻¹² dollars, rounded up."""
        dollars = input_tokens * self.input_usd + output_tokens * self.output_usd
        return int(dollars * UNITS_PER_DOLLAR) + 1 if dollars else 0


class PaidJudge:
    """Asks another judge within a budget.

    A call that the provider refused costs nothing; one whose end nobody knows costs what was reserved.

    Args:
        judge: makes the calls.
        tariff: of its model.
        money: pays.

    Raises:
        JudgeUnbounded: the model has no price, so that no call has an upper bound.
    """

    def __init__(self, judge: Judge, tariff: Tariff | None, money: Money) -> None:
        if tariff is None:
            raise JudgeUnbounded(judge.identity)
        self._judge, self._tariff, self._money = judge, tariff, money

    @property
    def identity(self) -> str:
        return self._judge.identity

    async def ask(self, prompt: Prompt, schema: Mapping[str, Any]) -> Answer:
        """One call.

        Raises:
            BudgetExhausted: its upper bound does not fit into what is left.
            CallFailed: what the judge raises.
        """
        bound = self._tariff.bound(prompt, schema)

        def cost(answer: Answer) -> int:
            used = answer.spending
            is_told = used.input_tokens or used.output_tokens
            return self._tariff.units(used.input_tokens, used.output_tokens) if is_told else bound

        return await paid(self._money, bound, partial(self._judge.ask, prompt, schema), cost=cost)


async def paid(
    money: Money, bound: int, call: Callable[[], Awaitable[Found]], *, cost: Callable[[Found], int]
) -> Found:  # fmt: skip
    """What a call returns, for which `bound` was reserved and `cost` is what it has cost.

    Raises:
        BudgetExhausted: the bound does not fit into what is left.
        CallFailed: what the call raises.
    """
    await money.reserve(bound)
    spent = bound
    try:
        answer = await call()
        spent = cost(answer)
    except CallFailed as error:
        # Of a call that timed out nobody knows whether the provider counts it.
        spent = bound if isinstance(error, CallTimedOut) else 0
        raise
    finally:
        money.settle(bound, spent)
    return answer

"""A judge that asks when it has a slot, and tells how the call ended."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from evals.errors import RateLimited
from heliograph.domain.evaluators import Answer, Judge, Prompt
from heliograph.domain.pacing import CallCounts

Found = TypeVar("Found")


class Slots(Protocol):
    """Slots for calls to a provider."""

    async def take(self) -> None:
        """Return when one more call may start."""

    def give_back(self, counts: CallCounts) -> None:
        """Tell how one call ended."""


class LimitedJudge:
    """Asks another judge at the pace that its provider takes."""

    def __init__(self, judge: Judge, slots: Slots) -> None:
        self._judge, self._slots = judge, slots

    @property
    def identity(self) -> str:
        return self._judge.identity

    async def ask(self, prompt: Prompt, schema: Mapping[str, Any]) -> Answer:
        """One call, once there is a slot for it; raises what the judge raises."""
        return await with_slot(self._slots, partial(self._judge.ask, prompt, schema))


async def with_slot(slots: Slots, call: Callable[[], Awaitable[Found]]) -> Found:
    """One call, once there is a slot for it; raises what the call raises."""
    await slots.take()
    ended = CallCounts(failed=1)
    try:
        answer = await call()
        ended = CallCounts(answered=1)
    except RateLimited as error:
        ended = CallCounts(refused=1, retry_after=error.retry_after)
        raise
    finally:
        slots.give_back(ended)
    return answer

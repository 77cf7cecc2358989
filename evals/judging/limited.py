"""A judge that asks when it has a slot, and tells how the call ended."""

from collections.abc import Mapping
from typing import Any, Protocol

from evals.errors import RateLimited
from heliograph.domain.evaluators import Answer, Judge, Prompt
from heliograph.domain.pacing import CallCounts


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
        await self._slots.take()
        ended = CallCounts(failed=1)
        try:
            answer = await self._judge.ask(prompt, schema)
            ended = CallCounts(answered=1)
        except RateLimited as error:
            ended = CallCounts(refused=1, retry_after=error.retry_after)
            raise
        finally:
            self._slots.give_back(ended)
        return answer

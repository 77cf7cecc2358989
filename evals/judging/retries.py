"""A judge that is asked again when its provider says that a later call may succeed, and only then."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from evals.errors import CallFailed, RateLimited
from heliograph.domain.evaluators import Answer, Judge, Prompt

Found = TypeVar("Found")
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often and how long to try: waits double up to the longest, and are drawn from half of that up.

    A provider that names a time is waited for that long, up to `longest_seconds`; if it names more, the call fails.
    """

    attempts: int = 5
    first_seconds: float = 0.5
    longest_seconds: float = 30.0

    def wait(self, attempt: int, error: CallFailed, draw: float) -> float:
        """Seconds before the next attempt, after so many; `draw` is from 0 to 1."""
        doubled = min(self.longest_seconds, self.first_seconds * 2.0 ** (attempt - 1))
        named = error.retry_after if isinstance(error, RateLimited) else 0.0
        return max(named, doubled * (1 + draw) / 2)

    def gives_up(self, attempt: int, error: CallFailed) -> bool:
        """Whether another attempt would be in vain or too late."""
        is_too_long = isinstance(error, RateLimited) and error.retry_after > self.longest_seconds
        return not error.is_passing or attempt >= self.attempts or is_too_long


class PatientJudge:
    """Asks another judge, again and again where that may help; failed calls cost what their error says."""

    def __init__(
        self, judge: Judge, backoff: Backoff | None = None, *, sleep: Sleep = asyncio.sleep, seed: int | None = None
    ) -> None:  # fmt: skip
        self._judge, self._backoff, self._sleep = judge, backoff or Backoff(), sleep
        self._draw = random.Random(seed)  # noqa: S311 - spreads retries, guards nothing

    @property
    def identity(self) -> str:
        return self._judge.identity

    async def ask(self, prompt: Prompt, schema: Mapping[str, Any]) -> Answer:
        """The first answer.

        Raises:
            CallFailed: the last failure.
        """
        once = partial(self._judge.ask, prompt, schema)
        return await patiently(once, self._backoff, sleep=self._sleep, draw=self._draw.random)


async def patiently(
    call: Callable[[], Awaitable[Found]],
    backoff: Backoff,
    *,
    sleep: Sleep = asyncio.sleep,
    draw: Callable[[], float] = random.random,
) -> Found:
    """What a call returns first; raises its last failure."""
    attempt = 0
    while True:
        attempt += 1
        try:
            return await call()
        except CallFailed as error:
            if backoff.gives_up(attempt, error):
                raise
            await sleep(backoff.wait(attempt, error, draw()))

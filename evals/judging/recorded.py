"""A judge whose calls are recorded, for the traces that show what a verdict is made of."""

import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from heliograph.domain.evaluators import Answer, Judge, Prompt


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call of a judge; times are nanoseconds since 1970. Without an answer it failed."""

    prompt: Prompt
    started_at: int
    ended_at: int
    answer: Answer | None = None
    error: str = ""
    # Dollars, where it is not what the model's price says.
    cost_usd: float | None = None


calls_of_evaluation: ContextVar[list[RecordedCall] | None] = ContextVar("calls_of_evaluation", default=None)


class RecordedJudge:
    """Asks another judge; the call is added to the list of the evaluation that runs, if one is set."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    @property
    def identity(self) -> str:
        return self._judge.identity

    async def ask(self, prompt: Prompt, schema: Mapping[str, Any]) -> Answer:
        """One call; raises what the judge raises."""
        calls = calls_of_evaluation.get()
        started_at = time.time_ns()
        try:
            answer = await self._judge.ask(prompt, schema)
        except Exception as error:
            if calls is not None:
                calls.append(RecordedCall(prompt, started_at, time.time_ns(), error=f"{type(error).__name__}: {error}"))
            raise
        if calls is not None:
            calls.append(RecordedCall(prompt, started_at, time.time_ns(), answer))
        return answer

"""Questions of many callers at about the same time, answered together by one call."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked", bound=Hashable)
Found = TypeVar("Found")

_SECONDS = 0.01


class Gathered(Generic[Asked, Found]):
    """What is asked within a moment is one call; the same question is asked once.

    Args:
        answer: answers many questions; one that it leaves out has no answer. What it raises is raised to all.
        seconds: how long a call waits for others to join.
    """

    def __init__(
        self, answer: Callable[[Sequence[Asked]], Awaitable[Mapping[Asked, Found]]], *, seconds: float = _SECONDS
    ) -> None:
        self._answer, self._seconds = answer, seconds
        self._waiting: dict[Asked, asyncio.Future[Found | None]] = {}
        self._working: set[asyncio.Task[None]] = set()

    async def of(self, asked: Asked) -> Found | None:
        """The answer, if there is one."""
        if asked not in self._waiting:
            if not self._waiting:
                task = asyncio.create_task(self._work())
                self._working.add(task)
                task.add_done_callback(self._working.discard)
            self._waiting[asked] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._waiting[asked])

    async def _work(self) -> None:
        await asyncio.sleep(self._seconds)
        waiting, self._waiting = self._waiting, {}
        try:
            found = await self._answer(list(waiting))
        except Exception as error:  # noqa: BLE001 - told to those who wait
            for future in waiting.values():
                future.set_exception(error)
                future.exception()  # nobody may be waiting any more
        else:
            for asked, future in waiting.items():
                future.set_result(found.get(asked))

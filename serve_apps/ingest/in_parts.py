"""Large requests: mapped part by part off the event loop, and appended while the next part is mapped."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import TypeVar

from heliograph.domain.events import MappedBatch
from serve_apps.ingest.dependencies import Appends

Result = TypeVar("Result")

_APPENDS_AT_ONCE = 4


class InParts:
    """Takes what is too large for the loop.

    Args:
        appends: where the parts go.
        pool: the threads that decode and map.
    """

    def __init__(self, appends: Appends, pool: Executor) -> None:
        self._appends = appends
        self._pool = pool

    async def work(self, work: Callable[[], Result]) -> Result:
        """The result of work done in the pool."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def append(self, parts: Iterable[Callable[[], MappedBatch]]) -> None:
        """Return when every part is durable. One that fails fails all: sending all again is harmless."""
        appending: set[asyncio.Task[None]] = set()
        try:
            for mapping in parts:
                batch = await self.work(mapping)
                appending.add(asyncio.create_task(self._appends.append(batch)))
                appending = await _with_room(appending)
            await asyncio.gather(*appending)
        finally:
            for task in appending:
                task.cancel()
            await asyncio.gather(*appending, return_exceptions=True)


async def _with_room(appending: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Wait until another append may start; raise what one of them raised."""
    if len(appending) < _APPENDS_AT_ONCE:
        return appending
    done, pending = await asyncio.wait(appending, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return pending

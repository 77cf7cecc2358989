"""What runs beside an application for as long as it lives: listeners, writers of what was gathered, reports."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from heliograph import telemetry

Companion = Callable[[], Coroutine[Any, Any, None]]

_log = telemetry.logger("companions")
_RESTART_SECONDS = 5.0


@asynccontextmanager
async def accompanied(companions: Sequence[Companion]) -> AsyncIterator[None]:
    """Run them until the context ends; each may finish what it holds when it is cancelled."""
    tasks = [asyncio.create_task(_kept_running(companion)) for companion in companions]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _kept_running(companion: Companion) -> None:
    """A defect in one of them costs no request; it is logged, and the companion starts anew."""
    while True:
        try:
            await companion()
        except Exception as error:  # noqa: BLE001 - whatever it is, the application goes on
            _log.error("companion_failed", companion=companion.__qualname__, exc_info=error)
        else:
            return
        await asyncio.sleep(_RESTART_SECONDS)

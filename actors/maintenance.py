"""Maintenance: what must happen now and then, whoever sends events or none. A plain class."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from heliograph import telemetry

_log = telemetry.logger("maintenance")
# A stack that is restarted often still does its chores; one that has just started has better things to do.
_FIRST_AFTER_SECONDS = 300.0


class Chore(NamedTuple):
    """Something to do again and again; what it returns is logged, unless it is None."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[Any]]


@dataclass
class ChoreMeter:
    """How often a chore ran, and how the last run ended."""

    runs: int = 0
    failures: int = 0
    last_seconds: float = 0.0
    last_error: str = ""


class Maintenance:
    """Runs each chore at its own pace; one that fails is tried again at its next turn."""

    def __init__(self, chores: Sequence[Chore], *, first_after_seconds: float = _FIRST_AFTER_SECONDS) -> None:
        self._chores = chores
        self._first_after_seconds = first_after_seconds
        self._tasks: list[asyncio.Task[None]] = []
        self.meters = {chore.name: ChoreMeter() for chore in chores}

    def start(self) -> None:
        """Begin; a chore never runs twice at once."""
        self._tasks = [asyncio.create_task(self._repeat(chore)) for chore in self._chores]

    async def stop(self) -> None:
        """End at once: every chore may be interrupted anywhere."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def status(self) -> dict[str, Any]:
        """Plain figures of every chore."""
        return {name: asdict(meter) for name, meter in self.meters.items()}

    async def _repeat(self, chore: Chore) -> None:
        await asyncio.sleep(min(self._first_after_seconds, chore.every_seconds))
        while True:
            await self._run(chore)
            await asyncio.sleep(chore.every_seconds)

    async def _run(self, chore: Chore) -> None:
        meter = self.meters[chore.name]
        started = time.monotonic()
        meter.last_error = ""
        try:
            result = await chore.run()
        except Exception as error:  # noqa: BLE001 - a defect of one chore must end neither itself nor the others
            meter.failures += 1
            meter.last_error = repr(error)
            _log.exception("chore_failed", chore=chore.name)
        else:
            # Some look every few seconds whether there is anything to do.
            if result is not None:
                _log.info("chore_done", chore=chore.name, result=str(result))
        meter.runs += 1
        meter.last_seconds = time.monotonic() - started

"""Evaluation runs for an event loop: the same runs, followed without holding the loop."""

import asyncio
import threading
from collections.abc import Sequence

from heliograph.client.evaluations import OnProgress, Run
from heliograph.domain.evaluation_runs import Estimate, Failure, RunProgress, RunState


class AsyncRun:
    """A run on the server; see `Run`, whose functions of this process run in a thread.

    Example:
        >>> run = await project.evaluate(project.observations(since="1d"), ["json_valid"])
        >>> progress = await run.wait()
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self.id = run.id

    def estimate(self) -> Estimate:
        """See `Run.estimate`."""
        return self._run.estimate()

    async def state(self) -> RunState:
        """What it does now."""
        return await asyncio.to_thread(lambda: self._run.state)

    async def progress(self) -> RunProgress:
        """How far it is, what became of the targets so far, and what was spent."""
        return await asyncio.to_thread(self._run.progress)

    async def start(self) -> None:
        """Begin. Nothing was evaluated or spent before."""
        await asyncio.to_thread(self._run.start)

    async def pause(self) -> None:
        """Begin no further evaluation."""
        await asyncio.to_thread(self._run.pause)

    async def resume(self, *, budget_usd: float | None = None) -> None:
        """Go on; see `Run.resume`."""
        await asyncio.to_thread(self._run.resume, budget_usd=budget_usd)

    async def cancel(self) -> None:
        """End for good; scores that were given stay."""
        await asyncio.to_thread(self._run.cancel)

    async def failures(self) -> Sequence[Failure]:
        """Targets without a verdict, each with the cause."""
        return await asyncio.to_thread(self._run.failures)

    async def retry_failed(self) -> int:
        """Have what has failed tried again; returns how much that is."""
        return await asyncio.to_thread(self._run.retry_failed)

    async def wait(self, on_progress: OnProgress | None = None) -> RunProgress:
        """See `Run.wait`. Cancelled, it leaves the run as it is: `project.run(id)` finds it again."""
        loop, is_cancelled = asyncio.get_running_loop(), threading.Event()

        def told(progress: RunProgress) -> None:
            if is_cancelled.is_set():
                raise asyncio.CancelledError
            if on_progress is not None:
                loop.call_soon_threadsafe(on_progress, progress)

        try:
            return await asyncio.to_thread(self._run.wait, told)
        finally:
            # The thread hears of it when it looks next.
            is_cancelled.set()

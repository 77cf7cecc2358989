"""How long the event loop was held: each process samples its own, and the greatest lag becomes a metric."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_SAMPLE_SECONDS = 0.02


class LoopLag:
    """Samples the lag of the running loop."""

    def __init__(self) -> None:
        self._peak = 0.0

    @asynccontextmanager
    async def sampled(self) -> AsyncIterator[None]:
        """Sample until the context ends."""
        sampling = asyncio.create_task(self._sample())
        try:
            yield
        finally:
            sampling.cancel()

    def take_peak(self) -> float:
        """The greatest lag in seconds since this was last asked."""
        peak, self._peak = self._peak, 0.0
        return peak

    async def _sample(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + _SAMPLE_SECONDS
            await asyncio.sleep(_SAMPLE_SECONDS)
            self._peak = max(self._peak, clock() - due)

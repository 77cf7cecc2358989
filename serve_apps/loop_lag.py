"""How long the event loop was held: each process samples its own, and the greatest lag becomes a metric."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Gauge

_SAMPLE_SECONDS = 0.02

_GAUGE = Gauge(
    "heliograph_loop_lag_seconds", "The longest the event loop was held since the last scrape", ["application"]
)


class LoopLag:
    """Samples the lag of the running loop.

    Args:
        application: the label of the metric.
    """

    def __init__(self, application: str) -> None:
        self._peak = 0.0
        _GAUGE.labels(application).set_function(self.take_peak)

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

"""The checkpoint of a lane: recorded after the insert it stands for, beside the flushes, so that none waits for it."""

import asyncio
from collections.abc import Awaitable, Callable

from heliograph import telemetry
from heliograph.domain.errors import Unavailable
from heliograph.domain.lane_errors import LaneFenced
from heliograph.domain.lanes import LogPosition

_log = telemetry.logger("checkpoint")
_RETRY_SECONDS = 1.0
_SPACING_SECONDS = 0.5


class CheckpointRecorder:
    """Records the latest flushed position; while PostgreSQL is away it lags, and a restart replays a little more."""

    def __init__(self, record: Callable[[LogPosition], Awaitable[None]], on_fenced: Callable[[], None]) -> None:
        self._record = record
        self._on_fenced = on_fenced
        self._flushed: LogPosition | None = None
        self._noted = asyncio.Event()
        self._is_closing = False
        self.recorded: LogPosition | None = None
        self.failures = 0

    def note(self, flushed: LogPosition) -> None:
        """Everything up to this position is stored."""
        self._flushed = flushed
        self._noted.set()

    def close(self) -> None:
        """Record what was noted last, and let `run` return."""
        self._is_closing = True
        self._noted.set()

    async def run(self) -> None:
        """Record until cancelled or closed."""
        while not self._is_closing:
            await self._noted.wait()
            self._noted.clear()
            await self._record_latest()
            if not self._is_closing:
                await asyncio.sleep(_SPACING_SECONDS)
        await self._record_latest()

    async def _record_latest(self) -> None:
        position = self._flushed
        if position is None or position == self.recorded:
            return
        try:
            await self._record(position)
        except Unavailable as error:
            self.failures += 1
            _log.warning("checkpoint_lags", segment=position.segment, reason=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
            self._noted.set()
        except LaneFenced:
            self._on_fenced()
        else:
            self.recorded = position

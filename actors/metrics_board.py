"""The board on which every process of the stack reports its metrics, so that one scrape shows them all."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import psutil
import pyarrow as pa

from actors.lane_history import LaneHistory
from heliograph import telemetry
from heliograph.measures import Sample, samples

INTERVAL_SECONDS = 5.0
# Long enough for a process that is busy, and short enough that a dead one does not count for minutes.
KEEP_SECONDS = 30.0

_log = telemetry.logger("metrics")


class _Report(NamedTuple):
    samples: Sequence[Sample]
    until: float


class MetricsBoard:
    """The last report of every process; one that reports no more vanishes after a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._reports: dict[str, _Report] = {}
        self._history = LaneHistory()

    async def report(self, source: str, reported: Sequence[Sample], keep_seconds: float = KEEP_SECONDS) -> None:
        """Replace what a source reported before. A lane's next owner is the same source; another replica is not."""
        self._reports[source] = _Report(reported, self._clock() + keep_seconds)
        self._history.note(reported)

    async def samples(self) -> list[Sample]:
        """Everything that is not too old."""
        now = self._clock()
        self._reports = {source: report for source, report in self._reports.items() if report.until > now}
        return [sample for report in self._reports.values() for sample in report.samples]

    async def history(self, after: datetime, before: datetime) -> pa.Table:
        """What lanes have measured in a period; see LaneHistory.table."""
        return self._history.table(after, before)


class Board(Protocol):
    """The board, wherever it runs. Raises Unavailable when it cannot be reached."""

    async def report(self, source: str, reported: Sequence[Sample], keep_seconds: float, /) -> None:
        """See MetricsBoard.report."""

    async def samples(self) -> list[Sample]:
        """See MetricsBoard.samples."""
        ...


class Reporter:
    """Reports the samples of this process every few seconds; that it fails costs nothing but the report."""

    def __init__(self, source: str, collect: Callable[[], Awaitable[Sequence[Sample]]], board: Board) -> None:
        self._source = source
        self._collect = collect
        self._board = board
        self._process = psutil.Process()

    async def run(self) -> None:
        """Report until cancelled."""
        has_failed = False
        while True:
            try:
                await self._board.report(self._source, [*await self._collect(), *self._own()], KEEP_SECONDS)
                has_failed = False
            except Exception as error:  # noqa: BLE001 - metrics are no reason to fail
                if not has_failed:
                    _log.warning("metrics_not_reported", source=self._source, reason=repr(error)[:300])
                has_failed = True
            await asyncio.sleep(INTERVAL_SECONDS)

    def _own(self) -> list[Sample]:
        values = {
            "heliograph_process_resident_bytes": self._process.memory_info().rss,
            "heliograph_process_open_files": self._process.num_fds(),
        }
        return samples(values, process=self._source)

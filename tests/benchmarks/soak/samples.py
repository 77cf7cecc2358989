"""What a soak watches: memory, open files, the lanes' lag and the objects of their logs, sampled and plotted."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median

import psutil

from heliograph.domain.errors import HeliographError
from heliograph.domain.identifiers import LaneNumber
from heliograph.settings import Settings
from storage.objects import connection as objects
from storage.objects.raw_log import RawLog
from storage.postgres.connection import Database
from storage.postgres.lanes import LaneRegistry
from tests.benchmarks.chaos.faults import Processes

_SPACING_SECONDS = 10.0
_BARS = "▁▂▃▄▅▆▇█"
_PLOT_WIDTH = 90
_ENGINES = ("clickhouse", "postgres", "seaweed")


@dataclass(frozen=True)
class Sample:
    """The stack at one moment. A figure that could not be had, since its store was away, is missing."""

    at: float
    figures: dict[str, float]


@dataclass(frozen=True)
class Tolerance:
    """How far a figure may be from where it started: a share of that, and a fixed part."""

    share: float
    fixed: float

    def allows(self, start: float, end: float) -> bool:
        """Whether the end is within it; less than at the start is always good."""
        return end <= start * (1 + self.share) + self.fixed


@dataclass
class Sampler:
    """Samples until cancelled."""

    settings: Settings
    samples: list[Sample] = field(default_factory=list)

    async def run(self) -> None:
        """One sample every ten seconds."""
        while True:
            started = time.monotonic()
            await self.take()
            await asyncio.sleep(max(_SPACING_SECONDS - (time.monotonic() - started), 0))

    async def take(self) -> None:
        """One sample now."""
        figures = await asyncio.to_thread(_of_processes, Processes(self.settings))
        with suppress(HeliographError):
            figures |= await _of_the_log(self.settings)
        self.samples.append(Sample(time.monotonic(), figures))

    def series(self, name: str) -> list[float]:
        """All samples of one figure."""
        return [sample.figures[name] for sample in self.samples if name in sample.figures]

    def typical(self, name: str, since: float, until: float) -> float:
        """The median of a figure within a time."""
        within = [
            sample.figures[name] for sample in self.samples if name in sample.figures and since <= sample.at <= until
        ]
        return median(within) if within else float("nan")

    def plot(self, names: Sequence[str], marks: Sequence[tuple[float, str]]) -> str:
        """Each figure as a line of bars over time, and below them when which fault was."""
        begun_at, ended_at = self.samples[0].at, self.samples[-1].at
        place = _places(begun_at, ended_at, min(_PLOT_WIDTH, len(self.samples)))
        lines = [self._bars(name, place) for name in names]
        row = [" "] * (place(ended_at) + 1)
        for number, (at, _) in enumerate(marks):
            row[place(at)] = chr(ord("a") + number % 26)
        legend = ", ".join(f"{chr(ord('a') + number % 26)} {name}" for number, (_, name) in enumerate(marks))
        return "\n".join([*lines, f"{'faults':>19}  {''.join(row)}", f"{'':>19}  {legend}"])

    def _bars(self, name: str, place: Callable[[float], int]) -> str:
        values = self.series(name)
        if not values:
            return f"{name:>19}  no samples"
        least, most = min(values), max(values)
        highest: dict[int, float] = {}
        for sample in self.samples:
            if name in sample.figures:
                column = place(sample.at)
                highest[column] = max(highest.get(column, least), sample.figures[name])
        scale = (len(_BARS) - 1) / ((most - least) or 1)
        bars = [
            _BARS[round((highest[column] - least) * scale)] if column in highest else " "
            for column in range(max(highest) + 1)
        ]
        return f"{name:>19}  {''.join(bars)}  {least:,.0f} to {most:,.0f}"


def _places(begun_at: float, ended_at: float, width: int) -> Callable[[float], int]:
    def place(at: float) -> int:
        share = (at - begun_at) / ((ended_at - begun_at) or 1)
        return min(max(int(share * (width - 1)), 0), width - 1)

    return place


def _of_processes(processes: Processes) -> dict[str, float]:
    """Ours and the engines' apart: how many files ClickHouse holds open depends on its merges of the moment."""
    engines = {process.pid for name in _ENGINES for process in processes.part(name)}
    figures: dict[str, float] = {}
    for process in processes.everything():
        whose = "engines' " if process.pid in engines else ""
        with suppress(psutil.Error):
            memory, files = process.memory_full_info().pss / (1 << 20), process.num_fds()
            figures[f"{whose}memory MB"] = figures.get(f"{whose}memory MB", 0.0) + memory
            figures[f"{whose}open files"] = figures.get(f"{whose}open files", 0.0) + files
    return figures


async def _of_the_log(settings: Settings) -> dict[str, float]:
    """Segments that no checkpoint covers yet, in all lanes, and all objects of the logs."""
    database = Database(settings.postgres_dsn)
    try:
        registry = LaneRegistry(database)
        lanes = [LaneNumber(number) for number in range((await registry.lane_map()).count)]
        checkpoints = {lane: await registry.checkpoint(lane) for lane in lanes}
    finally:
        await database.close()
    client = objects.connect(settings.s3, settings.s3_url)
    logs = {lane: RawLog(client, settings.s3.bucket, lane) for lane in lanes}

    def count() -> dict[str, float]:
        behind = [one for lane, log in logs.items() for one in log.segments_after(checkpoints[lane])]
        every = sum(1 for log in logs.values() for _ in log.segments_after(None))
        return {"lag, segments": float(sum(not one.is_seal for one in behind)), "log objects": float(every)}

    return await asyncio.to_thread(count)

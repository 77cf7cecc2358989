"""Soak: `python -m tests.benchmarks.soak --minutes 30 --rate 0.6` on a running stack, or on its own.

Bulk load at a steady rate (a share of the maximum, which is measured first, or spans a second), a fault every two
minutes, the log compacted every five without keeping anything for days. At the end memory, open files, lag and log
objects must be where they were before the first fault, within the tolerances below; otherwise it exits with 1.
"""

import argparse
import asyncio
import itertools
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from heliograph.domain.errors import HeliographError
from heliograph.settings import MaintenanceSettings, Settings
from pipelines.compaction import compact_lanes
from tests.benchmarks import report
from tests.benchmarks.chaos.faults import FAULTS, Processes
from tests.benchmarks.ingestion import expected_cost
from tests.benchmarks.load import Load, Sent, Template, templates
from tests.benchmarks.soak.samples import Sampler, Tolerance
from tests.benchmarks.stack import Stack, connect, until

_SPANS_PER_REQUEST = 500
_CONNECTIONS = 8
_MEASURING_SECONDS = 20.0
_COMPACT_SECONDS = 300.0
# Medians over such a time are compared: one without faults before the first, one at the end.
_WINDOW_SECONDS = 60.0
_DRAIN_SECONDS = 300.0
_ROTATION = "lane,replica,clickhouse,postgres,s3,all,slow-clickhouse,slow-s3"
# Caches fill and data grow, and with them what ClickHouse holds open; every owner of a lane leaves a seal and the
# segment before it in the log.
_TOLERANCES = {
    "memory MB": Tolerance(0.15, 200),
    "open files": Tolerance(0.10, 50),
    "engines' memory MB": Tolerance(0.25, 300),
    "engines' open files": Tolerance(0.50, 500),
    "lag, segments": Tolerance(0.0, 20),
    "log objects": Tolerance(0.0, 200),
}


@dataclass
class Course:
    """The times of a soak: how long it lasts, and how often something breaks."""

    seconds: float
    fault_every: float

    @property
    def warm_seconds(self) -> float:
        """When the first comparison window begins: caches have filled by then, within a tenth of the time."""
        return min(max(self.seconds / 10, 20.0), 120.0)

    @property
    def window_seconds(self) -> float:
        """How long a window is."""
        return min(_WINDOW_SECONDS, self.seconds / 6)


async def _compact(settings: Settings) -> None:
    keeping_nothing = settings.model_copy(
        update={"maintenance": MaintenanceSettings(free_after_days=0, superseded_for_seconds=0)}
    )
    try:
        await compact_lanes(keeping_nothing)
    except HeliographError as error:
        sys.stderr.write(f"compaction: {error}\n")


async def _compact_often(settings: Settings) -> None:
    while True:
        await asyncio.sleep(_COMPACT_SECONDS)
        await _compact(settings)


async def _break(
    settings: Settings, names: Sequence[str], course: Course, *, marks: list[tuple[float, str]], stop_at: float
) -> None:
    await asyncio.sleep(course.warm_seconds + course.window_seconds)
    for name in itertools.cycle(names):
        if time.monotonic() > stop_at:
            return
        marks.append((time.monotonic(), name))
        sys.stderr.write(f"{name}\n")
        await asyncio.to_thread(FAULTS[name].inject, Processes(settings))
        await asyncio.sleep(max(course.fault_every - (time.monotonic() - marks[-1][0]), 0))


async def _rate(stack: Stack, requests: Sequence[Template], given: float) -> float:
    """Spans a second: as given, or that share of what a short run at full speed gets acknowledged."""
    if given > 1:
        return given
    burst = Load(stack.target, requests, _CONNECTIONS, max_spans=10**9, max_seconds=_MEASURING_SECONDS)
    sent = await burst.run()
    await until(lambda: stack.arrived() >= sent.acknowledged, _DRAIN_SECONDS)
    return given * sent.acknowledged / sent.seconds


async def run(course: Course, rate: float, names: Sequence[str]) -> tuple[Mapping[str, object], bool]:
    """The figures, and whether everything is as it was."""
    settings = Settings()
    requests = templates(64, _SPANS_PER_REQUEST)
    rate = await _rate(await connect("soak-rate", settings), requests, rate)
    stack = await connect("soak", settings)
    sampler = Sampler(settings)
    marks: list[tuple[float, str]] = []
    begun_at = time.monotonic()
    load = Load(stack.target, requests, _CONNECTIONS, 10**12, course.seconds, rate, is_persistent=True)
    # The last fault is over, and what it delayed has arrived, before the last window begins.
    stop_at = begun_at + course.seconds - course.window_seconds - min(course.fault_every, 90.0)
    beside = [
        asyncio.create_task(work)
        for work in (
            sampler.run(),
            _compact_often(settings),
            _break(settings, names, course, marks=marks, stop_at=stop_at),
        )
    ]
    sent = await load.run()
    ended_at = time.monotonic()
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
    drained = await until(lambda: stack.stored()[0] >= sent.acknowledged, _DRAIN_SECONDS)
    await _compact(settings)
    await sampler.take()
    first = begun_at + course.warm_seconds
    windows = (first, first + course.window_seconds), (ended_at - course.window_seconds, ended_at)
    figures, is_as_before = _compared(sampler, windows)
    exact = _exact(stack, requests, sent)
    sys.stderr.write(sampler.plot(list(_TOLERANCES), marks) + "\n")
    pace = {
        "minutes": course.seconds / 60,
        "rate wanted, spans/s": rate,
        "rate acknowledged, spans/s": sent.acknowledged / sent.seconds,
        "faults": len(marks),
        "drained after, s": drained,
        "refused": sent.refused,
    }
    return pace | exact | figures, is_as_before and not any(exact[name] for name in ("lost", "doubled", "cost error"))


def _compared(
    sampler: Sampler, windows: tuple[tuple[float, float], tuple[float, float]]
) -> tuple[dict[str, object], bool]:
    figures: dict[str, object] = {}
    is_as_before = True
    for name, tolerance in _TOLERANCES.items():
        start, end = (sampler.typical(name, *window) for window in windows)
        if name == "log objects":
            # Those of before the last compaction are waiting for it.
            end = sampler.series(name)[-1]
        figures |= {f"{name}: start": start, f"{name}: end": end, f"{name}: most": max(sampler.series(name))}
        is_within = tolerance.allows(start, end)
        figures[f"{name}: within {tolerance.share:.0%} + {tolerance.fixed:.0f}"] = "yes" if is_within else "NO"
        is_as_before = is_as_before and is_within
    return figures, is_as_before


def _exact(stack: Stack, requests: list[Template], sent: Sent) -> dict[str, object]:
    observations, traces, cost = stack.stored()
    return {
        "acknowledged": sent.acknowledged,
        "lost": max(sent.acknowledged - observations, 0),
        "doubled": max(observations - sent.acknowledged, 0),
        "traces": traces,
        "cost error": Decimal(cost) - expected_cost(stack, requests, sent),
    }


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=0.6, help="up to 1 a share of the maximum, above it spans/s")
    parser.add_argument("--fault-every", type=float, default=120, help="seconds")
    parser.add_argument("--faults", default=_ROTATION, help=f"in turn; of {', '.join(FAULTS)}")
    arguments = parser.parse_args()
    processes = Processes(Settings())
    is_own = processes.status is None
    if is_own:
        processes.up()
    try:
        course = Course(arguments.minutes * 60, arguments.fault_every)
        figures, is_as_before = asyncio.run(run(course, arguments.rate, arguments.faults.split(",")))
    finally:
        if is_own:
            processes.down()
    report.show("soak", figures)
    sys.exit(not is_as_before)


if __name__ == "__main__":
    main()

"""Backfills: parts of what is stored taken through the same steps by Ray Data, resumed from what they reported."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import ray.data
from ray.exceptions import RayTaskError

from heliograph import telemetry
from heliograph.domain.backfills import Backfill, DayPart, PartReport
from heliograph.domain.errors import HeliographError
from heliograph.settings import Settings
from pipelines.cluster import processors
from storage.postgres.backfills import Backfills
from storage.postgres.connection import opened

_log = telemetry.logger("backfill")

# Carries out one part, by its number. It may be killed anywhere, and repeated.
Carry = Callable[[Settings, Backfill, int], Awaitable[None]]
Reports = dict[int, PartReport]


@dataclass(frozen=True)
class Step:
    """What is done to every part before the next step begins with any, and which reports say that it was done."""

    carry: Carry
    is_done: Callable[[PartReport], bool]


@dataclass(frozen=True)
class Work:
    """How a kind of backfill is cut, and its steps in their order; functions of modules, which travel to workers."""

    cut: Callable[[Settings, Backfill], list[DayPart]]
    steps: Sequence[Step]
    conclude: Callable[[Settings, Backfill, Reports], Awaitable[None]] | None = None


async def carry_out(settings: Settings, backfill: Backfill, work: Work, *, workers: int | None = None) -> Reports:
    """Do it, or go on with what was cut short, and return the reports of all parts.

    Args:
        settings: of the running stack.
        backfill: which was begun.
        work: what its kind does.
        workers: how many parts are carried out at once; by default as many as the cluster has processors.

    Raises:
        BackfillRunning: another one of its kind runs.
        Unavailable: a store or a lane did not answer; the next call goes on where this one ended.
    """
    async with opened(settings.postgres_dsn) as database:
        backfills = Backfills(database)
        async with backfills.exclusively(backfill):
            if backfill.parts is None:
                parts = await asyncio.to_thread(work.cut, settings, backfill)
                backfill = await backfills.cut(backfill.id, parts)
            for step in work.steps:
                reports = await backfills.reports(backfill.id)
                numbers = range(len(backfill.parts or ()))
                left = [number for number in numbers if not step.is_done(reports.get(number, PartReport()))]
                await asyncio.to_thread(_carry, settings, backfill, step, left=left, workers=workers or processors())
            reports = await backfills.reports(backfill.id)
            if work.conclude is not None:
                await work.conclude(settings, backfill, reports)
            await backfills.finish(backfill.id)
            _log.info("backfill_done", backfill=backfill.id, kind=backfill.kind.value, parts=len(backfill.parts or ()))
            return reports


def _carry(settings: Settings, backfill: Backfill, step: Step, *, left: Collection[int], workers: int) -> None:
    if not left:
        return
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.resource_limits = context.execution_options.resource_limits.copy(cpu=workers)
    items = ray.data.from_items([{"number": number} for number in left], override_num_blocks=len(left))
    one = partial(_carry_part, settings=settings, backfill=backfill, step=step)
    try:
        for _ in items.map_batches(one, batch_size=1, batch_format="pyarrow").iter_batches(batch_format="pyarrow"):
            pass
    except RayTaskError as error:
        if isinstance(error.cause, HeliographError):
            raise error.cause from error
        raise


def _carry_part(numbers: pa.Table, *, settings: Settings, backfill: Backfill, step: Step) -> pa.Table:
    for number in numbers["number"].to_pylist():
        asyncio.run(step.carry(settings, backfill, number))  # type: ignore[arg-type]  # a coroutine of ours
    return numbers

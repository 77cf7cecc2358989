"""Items run with bounded concurrency in one process, and written down in batches as they end."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from heliograph.client.experiments.items import Item, Run
from heliograph.client.experiments.limits import Limit, Providers
from heliograph.client.experiments.places import trace_of
from heliograph.client.experiments.record import Record
from heliograph.client.experiments.tasks import ItemResult, ItemTask

Found = TypeVar("Found")

_BATCH = 50


@dataclass(frozen=True)
class Manner:
    """How items run: of which run they are, how many at once, and how many calls of each provider."""

    run: Run
    concurrency: int
    limits: Mapping[str, Limit | int]


async def run_items(
    items: Sequence[Item],
    task: ItemTask,
    record: Record,
    *,
    manner: Manner,
    on_done: Callable[[int], None] = lambda _: None,
) -> list[ItemResult]:
    """Run items, so many at a time, and write each down within a batch of those that end meanwhile.

    Raises:
        Unavailable, ScoreRefused: see `Record.write`; what was not written is done again by the next run.
    """
    ended: asyncio.Queue[ItemResult | None] = asyncio.Queue(maxsize=2 * _BATCH)
    waiting, results = iter(items), list[ItemResult]()
    providers = Providers(manner.limits)

    async def work() -> None:
        for item in waiting:
            await ended.put(await task.run(item, trace_of(manner.run, item.id), providers))

    async def write() -> None:
        is_open = True
        while is_open:
            batch = [await ended.get()]
            while len(batch) < _BATCH and batch[-1] is not None:
                with contextlib.suppress(asyncio.QueueEmpty):
                    batch.append(ended.get_nowait())
                    continue
                break
            is_open = batch[-1] is not None
            if done := [result for result in batch if result is not None]:
                await asyncio.to_thread(record.write, done)
                results.extend(done)
                on_done(len(done))

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(manner.concurrency, len(items))):
                workers.create_task(work())
        await ended.put(None)
    return results


def finished(work: Coroutine[Any, Any, Found]) -> Found:
    """The result of a coroutine, also where a loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, work).result()

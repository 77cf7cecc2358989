"""Items run by actors of a Ray cluster, each of which takes a share of them and of the limits."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from heliograph.client.connection import Connection, Server
from heliograph.client.experiments.items import Item
from heliograph.client.experiments.limits import limit_of
from heliograph.client.experiments.record import Record
from heliograph.client.experiments.running import Manner, finished, run_items
from heliograph.client.experiments.tasks import ItemResult, ItemTask

# Small enough that a slow one at the end keeps few others waiting, large enough that a call of an actor does not count.
_ITEMS_AT_A_TIME = 32


@dataclass(frozen=True)
class Share:
    """What one actor needs. It is pickled: the task and the evaluators go along."""

    server: Server
    task: ItemTask
    versions: Mapping[str, str]
    manner: Manner


class Worker:
    """Runs shares of the items in a process of its own."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._record = Record(Connection(share.server), share.manner.run, share.versions)

    def run(self, items: Sequence[Item]) -> list[ItemResult]:
        """See `run_items`."""
        return finished(run_items(items, self._share.task, self._record, manner=self._share.manner))


def run_on_ray(
    items: Sequence[Item], share: Share, *, actors: int, on_done: Callable[[int], None]
) -> list[ItemResult]:  # fmt: skip
    """Run items on so many actors; one that dies is started again, and its items are run again.

    Raises:
        Whatever `run_items` raises, as Ray's `RayTaskError`.
    """
    import ray  # noqa: PLC0415 - an optional dependency
    from ray.util import ActorPool  # noqa: PLC0415

    is_ours = not ray.is_initialized()
    ray.init(ignore_reinit_error=True, log_to_driver=False)
    limits = {name: limit_of(limit).shared(actors) for name, limit in share.manner.limits.items()}
    own = replace(share, manner=replace(share.manner, limits=limits))
    remote: Any = ray.remote(Worker).options(num_cpus=0.5, max_restarts=3, max_task_retries=3)
    workers = [remote.remote(own) for _ in range(actors)]
    results: list[ItemResult] = []
    try:
        parts = list(_parts(items))
        for done in ActorPool(workers).map_unordered(lambda worker, part: worker.run.remote(part), parts):
            results.extend(done)
            on_done(len(done))
    finally:
        for worker in workers:
            ray.kill(worker)
        if is_ours:
            ray.shutdown()
    return results


def _parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), _ITEMS_AT_A_TIME):
        yield items[start : start + _ITEMS_AT_A_TIME]

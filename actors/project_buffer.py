"""The buffer of each project within a lane: bounded in bytes, drained in turn, so that no neighbour is starved."""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from heliograph.domain.errors import Overloaded, Unavailable
from heliograph.domain.events import MappedBatch
from heliograph.domain.lanes import LogPosition

_RETRY_AFTER_SECONDS = 1.0
# About what ten small requests hold.
_QUANTUM_BYTES = 256 << 10


@dataclass(frozen=True)
class Waiting:
    """An append that waits for its segment; the future is done when the segment is durable, or failed."""

    project_id: str
    batch: MappedBatch
    nbytes: int
    durable: asyncio.Future[LogPosition] = field(compare=False)


class ProjectBuffers:
    """Appends that no segment has taken yet, by project."""

    def __init__(self, *, max_project_bytes: int, max_bytes: int) -> None:
        self._queues: OrderedDict[str, deque[Waiting]] = OrderedDict()
        self._bytes_by_project: dict[str, int] = {}
        self._credit: dict[str, int] = {}
        self._max_project_bytes = max_project_bytes
        self._max_bytes = max_bytes
        self.records = 0
        self.nbytes = 0

    def add(self, waiting: Waiting) -> None:
        """Queue an append.

        Raises:
            Overloaded: the project's own bound is reached (429).
            Unavailable: the lane's bound is reached (503).
        """
        held = self._bytes_by_project.get(waiting.project_id, 0)
        if held and held + waiting.nbytes > self._max_project_bytes:
            raise Overloaded(_RETRY_AFTER_SECONDS)
        if self.nbytes and self.nbytes + waiting.nbytes > self._max_bytes:
            raise Unavailable("This lane", _RETRY_AFTER_SECONDS)
        self._queues.setdefault(waiting.project_id, deque()).append(waiting)
        self._bytes_by_project[waiting.project_id] = held + waiting.nbytes
        self.nbytes += waiting.nbytes
        self.records += waiting.batch.records.num_rows

    def take(self, *, max_bytes: int, max_records: int) -> list[Waiting]:
        """The next appends, up to the bounds: projects in turn, each with equal bytes; at least one append if any.

        M. Shreedhar, G. Varghese, Efficient fair queueing using deficit round robin (1995): what a project may not use
        in its turn, since its next append is larger, counts in its next turn.
        """
        taken: list[Waiting] = []
        nbytes = records = 0
        while self._queues:
            project_id, queue = next(iter(self._queues.items()))
            self._credit[project_id] = self._credit.get(project_id, 0) + _QUANTUM_BYTES
            while queue and queue[0].nbytes <= self._credit[project_id]:
                rows = queue[0].batch.records.num_rows
                if taken and (nbytes + queue[0].nbytes > max_bytes or records + rows > max_records):
                    return taken
                waiting = queue.popleft()
                self._credit[project_id] -= waiting.nbytes
                taken.append(waiting)
                nbytes += waiting.nbytes
                records += rows
                self._release(waiting)
            self._end_turn(project_id)
        return taken

    def take_quiet(self, *, max_project_bytes: int, max_records: int) -> list[Waiting]:
        """The appends of every project that waits with little: a hot neighbour's are left for a better moment."""
        taken: list[Waiting] = []
        records = 0
        for project_id, nbytes in list(self._bytes_by_project.items()):
            queue = self._queues[project_id]
            rows = sum(waiting.batch.records.num_rows for waiting in queue)
            if nbytes > max_project_bytes or records + rows > max_records:
                continue
            taken.extend(queue)
            records += rows
            for waiting in list(queue):
                self._release(waiting)
            queue.clear()
            self._end_turn(project_id)
        return taken

    def _end_turn(self, project_id: str) -> None:
        if self._queues[project_id]:
            self._queues.move_to_end(project_id)
        else:
            del self._queues[project_id]
            self._credit.pop(project_id, None)

    def _release(self, waiting: Waiting) -> None:
        self.nbytes -= waiting.nbytes
        self.records -= waiting.batch.records.num_rows
        left = self._bytes_by_project[waiting.project_id] - waiting.nbytes
        if left:
            self._bytes_by_project[waiting.project_id] = left
        else:
            del self._bytes_by_project[waiting.project_id]

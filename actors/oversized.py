"""Payloads too large for rows: stored before the rows that name them, removed after them. One lane owns a trace's.

Blocking and without Ray; a lane's merge thread runs it, so that nothing is stored while something is removed.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from actors.merge import Segment
from heliograph.domain.events import MappedBatch
from heliograph.domain.lanes import Share
from heliograph.domain.oversized import Oversized
from ingestion.oversized import taken_out
from storage.objects.payloads import PayloadKey, owner_of


class Objects(Protocol):
    """Where payloads lie; see `PayloadObjects`."""

    def put(self, payloads: Sequence[Oversized], /) -> None: ...

    def of_project(self, project_id: str, /) -> Iterable[PayloadKey]: ...

    def of_traces(self, project_id: str, trace_ids: Sequence[str], /) -> dict[str, list[PayloadKey]]: ...

    def delete(self, project_id: str, keys: Sequence[PayloadKey], /) -> None: ...


class Marks(Protocol):
    """What rows name; see `PayloadMarks`."""

    def of_traces(self, project_id: str, trace_ids: Sequence[str], /) -> set[tuple[str, str]]: ...

    def of_project(self, project_id: str, /) -> set[tuple[str, str]]: ...


class OversizedPayloads:
    """Moves payloads above a bound out of the rows of one lane.

    Args:
        objects: where they go.
        marks: what the stored rows name.
        max_bytes: what a row may hold in one value.
    """

    def __init__(self, objects: Objects, marks: Marks, max_bytes: int) -> None:
        self._objects = objects
        self._marks = marks
        self._max_bytes = max_bytes

    def stored(self, segments: Sequence[Segment]) -> list[Segment]:
        """The segments with previews, once the whole of each is in object storage; raises Unavailable."""
        return [segment._replace(batch=self.lightened(segment.batch)) for segment in segments]

    def lightened(self, batch: MappedBatch, *, is_trial: bool = False) -> MappedBatch:
        """The batch with previews, once the whole of each is in object storage, but on trial; raises Unavailable."""
        kept, payloads = taken_out(batch, self._max_bytes)
        if not is_trial:
            self._put(payloads)
        return kept

    def remove_of_traces(self, project_id: str, trace_ids: Sequence[str]) -> dict[str, int]:
        """Remove what the rows of deleted traces no longer name; how many objects, by trace. Raises Unavailable."""
        found = self._objects.of_traces(project_id, trace_ids)
        if not found:
            return {}
        named = _keys(self._marks.of_traces(project_id, list(found)))
        left = {trace_id: [key for key in keys if key not in named] for trace_id, keys in found.items()}
        self._objects.delete(project_id, [key for keys in left.values() for key in keys])
        return {trace_id: len(keys) for trace_id, keys in left.items()}

    def remove_of_project(self, project_id: str, share: Share) -> int:
        """Remove what no row of a deleted project names any more; how many objects. Raises Unavailable."""
        found = [key for key in self._objects.of_project(project_id) if key.is_in(share)]
        if not found:
            return 0
        named = _keys(self._marks.of_project(project_id))
        left = [key for key in found if key not in named]
        self._objects.delete(project_id, left)
        return len(left)

    def _put(self, payloads: Sequence[Oversized]) -> None:
        if payloads:
            self._objects.put(payloads)


def _keys(marks: Iterable[tuple[str, str]]) -> set[PayloadKey]:
    return {PayloadKey(owner_of(trace_id), digest) for trace_id, digest in marks}

"""Requests to delete: noted first, then appended as tombstones to every lane whose log may hold the subject."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

import pyarrow as pa

from actors.lane_client import WAITS_FOR_A_MOVE
from heliograph.domain import tables
from heliograph.domain.deletions import Deletion, SubjectType
from heliograph.domain.errors import InvalidRequest, Unavailable
from heliograph.domain.events import MappedBatch, RecordKind
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lane_errors import WrongLane
from heliograph.domain.lanes import LaneMap
from storage.postgres.deletions import Deletions


class TombstoneAppends(Protocol):
    """Where tombstones go; see `LaneClient`."""

    async def append_to(self, batches: Mapping[LaneNumber, MappedBatch], /) -> None:
        """Return when each batch is durable in its lane's log."""


class DeletionRequests:
    """Accepts requests to delete. What was sent before is deleted, what is sent afterwards starts anew."""

    def __init__(
        self,
        deletions: Deletions,
        connect: Callable[[], Awaitable[TombstoneAppends]],
        every_map: Callable[[], Awaitable[Sequence[LaneMap]]],
    ) -> None:
        self._deletions = deletions
        # A door opens while the lane map cannot be read: the way to the lanes is made when it is first needed.
        self._connect = connect
        self._appends: TombstoneAppends | None = None
        self._every_map = every_map

    async def accept(
        self, project_id: ProjectId, subject_type: SubjectType, subjects: Sequence[str], *, requested_by: str
    ) -> Deletion:
        """Return when the tombstones are durable; the lanes delete with their next flush.

        Raises:
            InvalidRequest: no subject has such an id.
            Unavailable, Overloaded: the request may be repeated; a part of it may take effect.
        """
        for subject in subjects:
            if not subject or "\0" in subject:
                raise InvalidRequest(f"{subject_type} id", "is empty or holds a NUL character")
        unique = list(dict.fromkeys(subjects))
        by_lane = _spread(await self._every_map(), project_id, subject_type, subjects=unique)
        asked = await self._deletions.request(
            project_id, subject_type, unique, requested_by=requested_by, lanes=sorted(by_lane)
        )
        for wait in WAITS_FOR_A_MOVE:
            try:
                await self._append(asked)
            except WrongLane:
                # While a project moves no lane could say which of them deletes.
                await asyncio.sleep(wait)
            else:
                return asked
        raise Unavailable("The ingestion lane", 1.0)

    async def _append(self, asked: Deletion) -> None:
        if self._appends is None:
            self._appends = await self._connect()
        by_lane = _spread(await self._every_map(), asked.project_id, asked.subject_type, subjects=asked.subjects)
        await self._appends.append_to({lane: _tombstones(asked, share) for lane, share in by_lane.items()})


def _spread(
    maps: Sequence[LaneMap], project_id: ProjectId, subject_type: SubjectType, *, subjects: Sequence[str]
) -> dict[LaneNumber, list[str]]:
    """The subjects for each lane: the owner of now, and every earlier one, whose log must not bring them back."""
    by_lane: dict[LaneNumber, list[str]] = {}
    for subject in subjects:
        lanes: set[LaneNumber] = set()
        for lane_map in maps:
            # Only a trace's id tells its lane; the others are found by each lane among what it owns.
            is_trace = subject_type is SubjectType.TRACE
            lanes.update([lane_map.lane_of(project_id, subject)] if is_trace else lane_map.lanes_of(project_id))
        for lane in lanes:
            by_lane.setdefault(lane, []).append(subject)
    return by_lane


def _tombstones(deletion: Deletion, subjects: Sequence[str]) -> MappedBatch:
    record = {
        "kind": RecordKind.TOMBSTONE.value,
        "project_id": deletion.project_id,
        "entity_type": deletion.subject_type.value,
        "entity_id": deletion.id,
        "received_at": datetime.now(UTC),
        "facts": "",
        "payload": b"",
    }
    return MappedBatch(pa.Table.from_pylist([{**record, "subject": subject} for subject in subjects], tables.RECORDS))

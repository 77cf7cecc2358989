"""Deletions: what is to disappear, and the tombstones by which a lane's log says up to where."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from heliograph.domain.events import EntityType, session_subject
from heliograph.domain.identifiers import LaneNumber, ProjectId
from heliograph.domain.lanes import row_version


class SubjectType(StrEnum):
    """What can be deleted."""

    TRACE = "trace"
    SESSION = "session"
    USER = "user"
    PROJECT = "project"
    SCORE = "score"


# Only the lane can tell which traces these mean, and only when it has stored everything before their tombstone.
RESOLVED_BY_LANES = frozenset({SubjectType.SESSION, SubjectType.USER})


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Every record of the subject that lies before this position of the lane's log is deleted.

    A session's covers the scores on the session itself, a user's covers nothing: the lane records a tombstone for each
    of their traces beside it, at the same position.
    """

    project_id: ProjectId
    subject_type: SubjectType
    subject: str
    lane: LaneNumber
    segment: int
    ordinal: int
    deletion_id: str = ""

    @property
    def position(self) -> int:
        """Comparable with the row versions of the same lane, but for their generation."""
        return row_version(0, self.segment, self.ordinal)


def positions_of(records: pa.Table, segment: int) -> np.ndarray:
    """The position of each record of a whole segment, as UInt64."""
    first = row_version(0, segment)
    return np.arange(first, first + records.num_rows, dtype=np.uint64)


class Buried:
    """A set of tombstones of one lane, asked which records lie below them."""

    def __init__(self, tombstones: Iterable[Tombstone]) -> None:
        self._projects: dict[str, int] = {}
        self._subjects: dict[str, dict[str, int]] = {}
        self._scores: dict[str, dict[str, int]] = {}
        self.last_position = 0
        for one in tombstones:
            self.last_position = max(self.last_position, one.position)
            match one.subject_type:
                case SubjectType.PROJECT:
                    _raise(self._projects, one.project_id, one.position)
                case SubjectType.SCORE:
                    _raise(self._scores.setdefault(one.project_id, {}), one.subject, one.position)
                case SubjectType.TRACE:
                    _raise(self._subjects.setdefault(one.project_id, {}), one.subject, one.position)
                case SubjectType.SESSION:
                    _raise(self._subjects.setdefault(one.project_id, {}), session_subject(one.subject), one.position)
                case SubjectType.USER:
                    pass

    def covered(self, records: pa.Table, positions: np.ndarray) -> np.ndarray | None:
        """Which of the records are deleted; None when no record is.

        Args:
            records: rows of `tables.RECORDS`.
            positions: the place of each in its lane's log, see `positions_of`.
        """
        if not len(positions) or int(positions.min()) >= self.last_position:
            return None
        found = np.zeros(records.num_rows, dtype=bool)
        for project_id in pc.unique(records["project_id"]).to_pylist():
            if limit := self._projects.get(project_id):
                found |= _is(records["project_id"], project_id) & (positions < limit)
            if subjects := self._subjects.get(project_id):
                _mark(found, records, project_id, positions=positions, column="subject", limits=subjects)
            if scores := self._scores.get(project_id):
                is_score = _is(records["entity_type"], EntityType.SCORE.value)
                marked = np.zeros_like(found)
                _mark(marked, records, project_id, positions=positions, column="entity_id", limits=scores)
                found |= marked & is_score
        # What says that something is deleted stays: it is what keeps the deleted from coming back.
        found &= _is(records["kind"], "event")
        return found if found.any() else None


def _raise(limits: dict[str, int], key: str, position: int) -> None:
    limits[key] = max(position, limits.get(key, 0))


def _is(column: pa.ChunkedArray, value: str) -> np.ndarray:
    equal: np.ndarray = pc.equal(column, value).to_numpy(zero_copy_only=False)
    return equal


def _mark(
    found: np.ndarray,
    records: pa.Table,
    project_id: str,
    *,
    positions: np.ndarray,
    column: str,
    limits: Mapping[str, int],
) -> None:
    candidates = pc.is_in(records[column], value_set=pa.array(list(limits), pa.string())).to_numpy(zero_copy_only=False)
    indices = np.flatnonzero(candidates & _is(records["project_id"], project_id))
    for index, name in zip(indices, records[column].take(pa.array(indices)).to_pylist(), strict=True):
        found[index] |= int(positions[index]) < limits[name]


@dataclass(frozen=True)
class Removed:
    """How much was removed: rows of ClickHouse, records of the log, files of the archive, media, and large payloads."""

    observations: int = 0
    scores: int = 0
    traces: int = 0
    log_records: int = 0
    archive_files: int = 0
    media: int = 0
    payloads: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(**{name: getattr(self, name) + getattr(other, name) for name in self.to_json()})

    def to_json(self) -> dict[str, int]:
        """Plain counts."""
        return asdict(self)

    @classmethod
    def from_json(cls, counts: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; absent counts are 0."""
        return cls(**{one.name: int(counts.get(one.name, 0)) for one in fields(cls)})


class DeletionState(StrEnum):
    """How far a deletion has come."""

    REQUESTED = "requested"
    DONE = "done"


@dataclass(frozen=True)
class Deletion:
    """One request to delete, and its report.

    Attributes:
        lanes: those whose logs hold a tombstone; it is done when each has removed what it owned.
        finished_at: when the last of them had.
    """

    id: str
    project_id: ProjectId
    subject_type: SubjectType
    subjects: Sequence[str]
    requested_by: str
    requested_at: datetime
    lanes: Sequence[LaneNumber]
    finished_at: datetime | None = None
    removed: Removed = field(default_factory=Removed)

    @property
    def state(self) -> DeletionState:
        """Whether every lane has removed what it owned."""
        return DeletionState.DONE if self.finished_at else DeletionState.REQUESTED

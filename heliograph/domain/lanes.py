"""Lanes: which one owns a subject, and how a place in a lane's log becomes the version of a row."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

from heliograph.domain.identifiers import LaneNumber, ProjectId

GENERATION_BITS = 12
SEGMENT_BITS = 34
ORDINAL_BITS = 18
MAX_RECORDS_PER_SEGMENT = 1 << ORDINAL_BITS
MAX_GENERATION = (1 << GENERATION_BITS) - 1


class LogPosition(NamedTuple):
    """A segment of a lane's log. Segment numbers go on across epochs, so positions order by segment."""

    epoch: int
    segment: int


def row_version(generation: int, segment: int, ordinal: int = 0) -> int:
    """The version of a row shaped by a record: generation (12 bits) ‖ segment (34) ‖ ordinal (18).

    A log position, never a clock: a replay gives the same row the same version, and a later event always wins.
    """
    return (generation << (SEGMENT_BITS + ORDINAL_BITS)) | (segment << ORDINAL_BITS) | ordinal


class Share(NamedTuple):
    """The part of a project's subjects that one lane owns: those whose hash leaves this remainder."""

    remainder: int = 0
    modulus: int = 1

    def has(self, subject: str) -> bool:
        """Whether the subject belongs to it."""
        return self.modulus == 1 or _hash(subject) % self.modulus == self.remainder


class RaisedGeneration(NamedTuple):
    """From a segment of a lane on, the rows of a project carry this generation."""

    project_id: ProjectId
    from_segment: int
    generation: int


@dataclass(frozen=True)
class LaneMap:
    """Which lanes own which projects. A quiet project shares one lane; a hot one has several of its own.

    Attributes:
        version: grows with every change, and no number is used twice.
        count: how many lanes exist, numbered from 0.
        dedicated: the lanes of each hot project; its subjects are spread over them by hash.
        shared: the lanes that quiet projects are spread over by hash; all of them when it is empty.
    """

    version: int
    count: int
    dedicated: Mapping[ProjectId, tuple[LaneNumber, ...]] = field(default_factory=dict)
    shared: tuple[LaneNumber, ...] = ()

    @property
    def lanes(self) -> tuple[LaneNumber, ...]:
        """Every lane that exists."""
        return tuple(LaneNumber(number) for number in range(self.count))

    @property
    def pool(self) -> tuple[LaneNumber, ...]:
        """The lanes that quiet projects are spread over."""
        return self.shared or self.lanes

    def lanes_of(self, project_id: ProjectId) -> tuple[LaneNumber, ...]:
        """Every lane that may hold events of the project."""
        pool = self.pool
        return self.dedicated.get(project_id) or (pool[_hash(project_id) % len(pool)],)

    def lane_of(self, project_id: ProjectId, subject: str) -> LaneNumber:
        """The one lane that owns the subject."""
        lanes = self.lanes_of(project_id)
        return lanes[0] if len(lanes) == 1 else lanes[_hash(subject) % len(lanes)]

    def share_of(self, lane: LaneNumber, project_id: ProjectId) -> Share | None:
        """The lane's part of the project, or None when it owns nothing of it."""
        lanes = self.lanes_of(project_id)
        return Share(lanes.index(lane), len(lanes)) if lane in lanes else None

    def owns(self, lane: LaneNumber, project_id: ProjectId, subjects: Iterable[str]) -> bool:
        """Whether a lane owns all of these subjects of a project."""
        lanes = self.lanes_of(project_id)
        if lane not in lanes:
            return False
        return len(lanes) == 1 or all(lanes[_hash(subject) % len(lanes)] == lane for subject in set(subjects))

    def with_lanes_added(self, count: int, *, shared: bool = False) -> Self:
        """So many more lanes: for hot projects, or for the quiet ones too."""
        added = tuple(LaneNumber(self.count + number) for number in range(count))
        pool = self.pool + added if shared else self.pool
        return replace(self, count=self.count + count, shared=pool)

    def with_dedicated(self, project_id: ProjectId, lanes: Iterable[LaneNumber]) -> Self:
        """The project on these lanes."""
        return replace(self, dedicated={**self.dedicated, project_id: tuple(lanes)})

    def with_shared(self, project_id: ProjectId) -> Self:
        """The project among the quiet ones again."""
        left = {project: lanes for project, lanes in self.dedicated.items() if project != project_id}
        return replace(self, dedicated=left)


@dataclass(frozen=True)
class LaneChange:
    """What differs between two maps: whose subjects may have another lane, and which lanes that concerns."""

    before: LaneMap
    after: LaneMap

    def moves(self, project_id: ProjectId) -> bool:
        """Whether some subject of the project may have another lane."""
        return self.before.lanes_of(project_id) != self.after.lanes_of(project_id)

    @property
    def losing(self) -> frozenset[LaneNumber]:
        """Every lane that may lose a subject, also one of a project that does not exist yet."""
        return self._concerned(self.before)

    @property
    def gaining(self) -> frozenset[LaneNumber]:
        """Every lane that may gain a subject, also one of a project that does not exist yet."""
        return self._concerned(self.after)

    def _concerned(self, lane_map: LaneMap) -> frozenset[LaneNumber]:
        named = {*self.before.dedicated, *self.after.dedicated}
        lanes = {lane for project_id in named if self.moves(project_id) for lane in lane_map.lanes_of(project_id)}
        return frozenset(lanes if self.before.pool == self.after.pool else lanes.union(lane_map.pool))


def _hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))

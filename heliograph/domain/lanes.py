"""Lanes: which one owns a subject, and how a place in a lane's log becomes the version of a row."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from heliograph.domain.identifiers import LaneNumber, ProjectId

GENERATION_BITS = 12
SEGMENT_BITS = 34
ORDINAL_BITS = 18
MAX_RECORDS_PER_SEGMENT = 1 << ORDINAL_BITS


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


@dataclass(frozen=True)
class LaneMap:
    """Which lanes own which projects. A quiet project shares one lane; a hot one has several of its own.

    Attributes:
        version: grows with every change; an append under an older version is refused.
        count: how many lanes exist, numbered from 0.
        dedicated: the lanes of each hot project; its subjects are spread over them by hash.
    """

    version: int
    count: int
    dedicated: Mapping[ProjectId, tuple[LaneNumber, ...]] = field(default_factory=dict)

    def lanes_of(self, project_id: ProjectId) -> tuple[LaneNumber, ...]:
        """Every lane that may hold events of the project."""
        return self.dedicated.get(project_id) or (LaneNumber(_hash(project_id) % self.count),)

    def lane_of(self, project_id: ProjectId, subject: str) -> LaneNumber:
        """The one lane that owns the subject."""
        lanes = self.lanes_of(project_id)
        return lanes[0] if len(lanes) == 1 else lanes[_hash(subject) % len(lanes)]

    def share_of(self, lane: LaneNumber, project_id: ProjectId) -> Share | None:
        """The lane's part of the project, or None when it owns nothing of it."""
        lanes = self.lanes_of(project_id)
        return Share(lanes.index(lane), len(lanes)) if lane in lanes else None


def _hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))

"""Replays: which raw records are mapped again, and the report of what that changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self

from heliograph.domain.identifiers import LaneNumber, ProjectId


@dataclass(frozen=True)
class ReplayReport:
    """What a replay found and stored; reports of parts add up.

    Attributes:
        counts: `records` read; `rows` that they give and `unchanged` ones; `changed` and `added` ones; `superseded` by
            a later record; `absent` (neither stored nor to be: deleted, or moved to another lane without its row);
            `newer` (of which a later event came during the replay); `written`; `traces` rolled up anew.
        columns: changed rows by `table.column`.
        unreadable: records that give no row, by reason.
        cost_before: of the stored rows that were compared, in 10⁻¹² dollars.
        cost_after: of what they are now.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    columns: Mapping[str, int] = field(default_factory=dict)
    unreadable: Mapping[str, int] = field(default_factory=dict)
    cost_before: int = 0
    cost_after: int = 0

    def __add__(self, other: "ReplayReport") -> "ReplayReport":
        return ReplayReport(
            _sum(self.counts, other.counts),
            _sum(self.columns, other.columns),
            _sum(self.unreadable, other.unreadable),
            self.cost_before + other.cost_before,
            self.cost_after + other.cost_after,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**found)


@dataclass(frozen=True)
class Replay:
    """A replay that was begun.

    Attributes:
        start, end: when the records were received, from and before; None for any time.
        is_trial: it reports what it would change, and changes nothing.
        through: by lane, the last segment whose records it maps.
        bounds: the last subject of each part but the last one, so that a part's records are neighbours in the tables.
    """

    id: str
    project_id: ProjectId
    start: datetime | None
    end: datetime | None
    is_trial: bool
    through: Mapping[LaneNumber, int]
    bounds: Sequence[str]

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return len(self.bounds) + 1


@dataclass(frozen=True)
class ReplayProgress:
    """A replay, when it was begun and ended, and how many of its parts are done."""

    replay: Replay
    done: int
    created_at: datetime
    finished_at: datetime | None


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    total = Counter(one)
    total.update(other)
    return dict(total)

"""Backfills: work over what is stored, cut into parts that are done, and repeated, one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from heliograph.domain.identifiers import ProjectId


class BackfillKind(StrEnum):
    """What is done to the rows."""

    RECOST = "recost"
    EXPORT = "export"


class DayPart(NamedTuple):
    """Rows of one day (UTC) whose key is above one text and at most another; None is open."""

    day: date
    above: str | None = None
    through: str | None = None
    rows: int = 0

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The first moment of the day, and that of the next."""
        start = datetime.combine(self.day, time(), UTC)
        return start, start + timedelta(days=1)

    def to_json(self) -> list[Any]:
        """Plain values."""
        return [self.day.isoformat(), self.above, self.through, self.rows]

    @classmethod
    def from_json(cls, found: Sequence[Any]) -> "DayPart":
        """The inverse of `to_json`."""
        day, above, through, rows = found
        return cls(date.fromisoformat(day), above, through, rows)


@dataclass(frozen=True)
class Backfill:
    """A backfill that was begun.

    Attributes:
        asked: what it was asked, as plain values; the same question resumes what was cut short.
        is_trial: it reports what it would change, and changes nothing.
        parts: how it is cut; None before it was.
        error: why it ended before its end.
    """

    id: str
    project_id: ProjectId
    kind: BackfillKind
    asked: Mapping[str, Any]
    is_trial: bool
    parts: Sequence[DayPart] | None
    created_at: datetime
    finished_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True)
class PartReport:
    """What a part found before it stored anything, and what it stored; None while it has not."""

    found: Mapping[str, Any] = field(default_factory=dict)
    stored: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class BackfillProgress:
    """How many parts were examined and how many are done, of how many."""

    examined: int
    done: int
    parts: int

    @classmethod
    def of(cls, backfill: Backfill, reports: Mapping[int, PartReport]) -> "BackfillProgress":
        """How far it has come; no parts while it is not cut."""
        done = sum(report.stored is not None for report in reports.values())
        return cls(len(reports), done, len(backfill.parts or ()))

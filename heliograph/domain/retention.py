"""Retention: how long a project keeps what it was sent, and how far that is enforced."""

from dataclasses import dataclass
from datetime import datetime

from heliograph.domain.identifiers import ProjectId


@dataclass(frozen=True)
class Expired:
    """What was asked to be deleted for its age, and the files that nothing refers to any more."""

    traces: int = 0
    scores: int = 0
    media: int = 0

    def __add__(self, other: "Expired") -> "Expired":
        return Expired(self.traces + other.traces, self.scores + other.scores, self.media + other.media)

    def __bool__(self) -> bool:
        return bool(self.traces or self.scores or self.media)


@dataclass(frozen=True)
class RetentionState:
    """How far the retention of one project is enforced.

    Attributes:
        days: how long it keeps what it was sent.
        cutoff: what is older was deleted when something was last deleted; None when nothing ever was.
        expired: what was deleted then.
        checked_at: when it was last enforced, whether there was something to delete or not.
    """

    project_id: ProjectId
    project_name: str
    days: int
    cutoff: datetime | None = None
    expired: Expired = Expired()
    checked_at: datetime | None = None

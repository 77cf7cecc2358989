"""What an import has taken, and what not and why."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Refused:
    """A thing that was not taken, or not as it was."""

    kind: str
    id: str
    reason: str


@dataclass
class ImportReport:
    """Counts by kind of thing, and what could not be taken.

    Attributes:
        read: how many the source gave.
        taken: how many are stored now; on a dry run, would be.
        refused: the others, and those that lost something.
        on_progress: told of a kind and how many were read of it.
    """

    read: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)
    on_progress: Callable[[str, int], None] = lambda _kind, _count: None

    def see(self, kind: str, count: int = 1) -> None:
        """Note what was read."""
        self.read[kind] += count
        self.on_progress(kind, self.read[kind])

    def refuse(self, kind: str, id_: str, reason: str) -> None:
        """Note what was not taken."""
        self.refused.append(Refused(kind, id_, reason))

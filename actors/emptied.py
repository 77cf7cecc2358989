"""What tombstones leave nothing of: the states that a lane forgets, and reads back no more."""

from collections.abc import Iterable
from dataclasses import dataclass

from actors.subject_cache import SubjectKey
from heliograph.domain.deletions import SubjectType, Tombstone
from heliograph.domain.events import session_subject


@dataclass(frozen=True)
class Emptied:
    """Subjects, and whole projects."""

    subjects: frozenset[SubjectKey]
    projects: frozenset[str]

    def __contains__(self, key: SubjectKey) -> bool:
        return key in self.subjects or key[0] in self.projects

    @classmethod
    def by(cls, tombstones: Iterable[Tombstone]) -> "Emptied":
        """What these tombstones empty: a score's leaves the rest of its subject, a user's is no subject."""
        subjects: set[SubjectKey] = set()
        projects: set[str] = set()
        for one in tombstones:
            match one.subject_type:
                case SubjectType.TRACE:
                    subjects.add((one.project_id, one.subject))
                case SubjectType.SESSION:
                    subjects.add((one.project_id, session_subject(one.subject)))
                case SubjectType.PROJECT:
                    projects.add(one.project_id)
                case SubjectType.SCORE | SubjectType.USER:
                    pass
        return cls(frozenset(subjects), frozenset(projects))

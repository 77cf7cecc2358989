"""The generation of each project's rows in one lane: a function of the segment, so that a replay gives it again."""

from bisect import bisect_right
from collections.abc import Iterable

from heliograph.domain.lanes import RaisedGeneration


class Generations:
    """What was raised for the rows of one lane. A later raise has a later segment."""

    def __init__(self, raised: Iterable[RaisedGeneration] = ()) -> None:
        self._by_project: dict[str, list[tuple[int, int]]] = {}
        self._bounds: list[int] = []
        self.learn(raised)

    def learn(self, raised: Iterable[RaisedGeneration]) -> None:
        """Take over what the registry holds."""
        by_project: dict[str, list[tuple[int, int]]] = {}
        for project_id, from_segment, generation in raised:
            by_project.setdefault(project_id, []).append((from_segment, generation))
        self._by_project = by_project
        self._bounds = sorted({bound for raised_here in by_project.values() for bound, _ in raised_here})

    def of(self, project_id: str, segment: int) -> int:
        """The generation of the rows that a segment of this lane gives a project."""
        raised = self._by_project.get(project_id, ())
        return max((generation for from_segment, generation in raised if from_segment <= segment), default=0)

    def raised_between(self, after: int, upto: int) -> set[str]:
        """The projects whose generation rises behind one segment and not behind another."""
        if bisect_right(self._bounds, after) == bisect_right(self._bounds, upto):
            return set()
        return {
            project_id
            for project_id, raised in self._by_project.items()
            if any(after < from_segment <= upto for from_segment, _ in raised)
        }

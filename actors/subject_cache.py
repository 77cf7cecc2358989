"""The states of recently touched subjects, least recently used first; a subject that was evicted is read back."""

from collections import OrderedDict
from collections.abc import Collection, Iterable

from actors.rollup import SubjectState
from actors.seen_filter import SeenFilter, subject_hash

SubjectKey = tuple[str, str]


class SubjectCache:
    """States by (project, subject), bounded by the number of contributions they hold."""

    def __init__(self, max_contributions: int, seen: SeenFilter) -> None:
        self._states: OrderedDict[SubjectKey, SubjectState] = OrderedDict()
        self._max_contributions = max_contributions
        self._weights: dict[SubjectKey, int] = {}
        self._weight = 0
        self.seen = seen

    def __getitem__(self, key: SubjectKey) -> SubjectState:
        return self._states[key]

    def __len__(self) -> int:
        return len(self._states)

    def admit(self, keys: Iterable[SubjectKey]) -> list[SubjectKey]:
        """Give every subject a state, and tell which of them may have rows that must be read back first."""
        unknown = []
        for key in keys:
            if key in self._states:
                self._states.move_to_end(key)
                continue
            digest = subject_hash(*key)
            if digest in self.seen:
                unknown.append(key)
            else:
                self.seen.add(digest)
            self._states[key] = SubjectState()
        return unknown

    def discard(self, keys: Iterable[SubjectKey]) -> None:
        """Forget states."""
        for key in keys:
            self._states.pop(key, None)
            self._weight -= self._weights.pop(key, 0)

    def forget(self, projects: Collection[str]) -> None:
        """Forget every state of some projects."""
        self.discard([key for key in self._states if key[0] in projects])

    def settle(self, touched: Iterable[SubjectKey]) -> int:
        """Account for what the touched subjects hold now, evict down to the bound, and return how many went.

        Only call it when the rows of every touched subject are stored: an evicted one is read back from there.
        """
        for key in touched:
            state = self._states.get(key)
            if state is None:
                continue
            weight = state.weight
            self._weight += weight - self._weights.get(key, 0)
            self._weights[key] = weight
        evicted = 0
        while self._weight > self._max_contributions and self._states:
            key, _ = self._states.popitem(last=False)
            self._weight -= self._weights.pop(key, 0)
            evicted += 1
        return evicted

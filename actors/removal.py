"""Removing the stored rows that lie below tombstones. Blocking and without Ray; a lane's merge thread runs it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from heliograph.domain.deletions import Removed, SubjectType, Tombstone
from heliograph.domain.lanes import Share

_COLUMNS = {SubjectType.SESSION: "session_id", SubjectType.USER: "user_id"}


class StoredRows(Protocol):
    """Where rows are deleted below limits; see `RowDeletions`."""

    def traces(self, project_id: str, limits: Mapping[str, int], share: Share) -> dict[str, Removed]: ...

    def session_scores(self, project_id: str, limits: Mapping[str, int], share: Share) -> dict[str, Removed]: ...

    def scores(self, project_id: str, limits: Mapping[str, int], share: Share) -> dict[str, Removed]: ...

    def project(self, project_id: str, limit: int, share: Share) -> Removed: ...

    def traces_of(
        self, column: str, project_id: str, limits: Mapping[str, int], *, share: Share
    ) -> list[tuple[str, str]]: ...


class StoredPayloads(Protocol):
    """Where the objects of deleted rows are removed; see `OversizedPayloads`."""

    def remove_of_traces(self, project_id: str, trace_ids: Sequence[str]) -> dict[str, int]: ...

    def remove_of_project(self, project_id: str, share: Share) -> int: ...


class Removal:
    """Removes what one lane owns: versions of other lanes' rows cannot be compared with its tombstones."""

    def __init__(
        self,
        rows: StoredRows,
        payloads: StoredPayloads,
        *,
        limit_of: Callable[[Tombstone], int],
        share_of: Callable[[str], Share | None],
    ) -> None:
        self._rows = rows
        self._payloads = payloads
        self._limit_of = limit_of
        self._share_of = share_of

    def resolved(self, tombstones: Sequence[Tombstone]) -> list[Tombstone]:
        """The tombstones, and one for each stored trace that a session's or a user's means; raises Unavailable."""
        found = list(tombstones)
        for (project_id, subject_type), group in _grouped(tombstones).items():
            share, column = self._share_of(project_id), _COLUMNS.get(subject_type)
            if share is None or column is None:
                continue
            traces = self._rows.traces_of(column, project_id, self._limits(group), share=share)
            meant_by = {one.subject: one for one in group}
            found.extend(
                replace(meant_by[subject], subject_type=SubjectType.TRACE, subject=trace_id)
                for trace_id, subject in traces
            )
        return found

    def remove(self, tombstones: Sequence[Tombstone]) -> dict[str, Removed]:
        """Delete the rows below; returns what was removed by deletion. Raises Unavailable, and may be repeated."""
        removed = {one.deletion_id: Removed() for one in tombstones}
        for (project_id, subject_type), group in _grouped(tombstones).items():
            share = self._share_of(project_id)
            if share is None:
                continue
            deletion_of = {one.subject: one.deletion_id for one in group}
            for subject, counts in self._remove(subject_type, project_id, group, share=share).items():
                removed[deletion_of[subject]] += counts
        return removed

    def _remove(
        self, subject_type: SubjectType, project_id: str, group: Sequence[Tombstone], *, share: Share
    ) -> dict[str, Removed]:
        limits = self._limits(group)
        match subject_type:
            case SubjectType.TRACE:
                return self._remove_traces(project_id, limits, share)
            case SubjectType.SCORE:
                return self._rows.scores(project_id, limits, share)
            case SubjectType.SESSION:
                return self._rows.session_scores(project_id, limits, share)
            case SubjectType.PROJECT:
                rows = self._rows.project(project_id, max(limits.values()), share)
                payloads = Removed(payloads=self._payloads.remove_of_project(project_id, share))
                return {group[-1].subject: rows + payloads}
            case SubjectType.USER:
                return {}

    def _remove_traces(self, project_id: str, limits: Mapping[str, int], share: Share) -> dict[str, Removed]:
        """The rows first: after a kill in between, the objects are found again by themselves."""
        found = self._rows.traces(project_id, limits, share)
        # Its row may be gone already: a span after the deletion replaced it, and ClickHouse has merged the two.
        removed = {trace_id: replace(counts, traces=1) for trace_id, counts in found.items()}
        for trace_id, count in self._payloads.remove_of_traces(project_id, list(limits)).items():
            removed[trace_id] = removed.get(trace_id, Removed()) + Removed(payloads=count)
        return removed

    def _limits(self, tombstones: Iterable[Tombstone]) -> dict[str, int]:
        limits: dict[str, int] = {}
        for one in tombstones:
            limits[one.subject] = max(self._limit_of(one), limits.get(one.subject, 0))
        return limits


def _grouped(tombstones: Iterable[Tombstone]) -> dict[tuple[str, SubjectType], list[Tombstone]]:
    groups: dict[tuple[str, SubjectType], list[Tombstone]] = {}
    for one in tombstones:
        groups.setdefault((one.project_id, one.subject_type), []).append(one)
    return groups

"""An in-memory double of the tables that a lane writes and reads back: the row with the greatest version wins."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from actors.seen_filter import subject_hash
from heliograph.domain import tables
from heliograph.domain.deletions import Removed
from heliograph.domain.lanes import Share

_SORT_KEYS = {
    "observations": ("project_id", "placed_at", "trace_id", "id"),
    "traces": ("project_id", "placed_at", "id"),
    "scores": ("project_id", "placed_at", "id"),
}


class StoredRows:
    """Takes inserts like `Writer`, answers read-backs like `Contributions`, and never sees two tables as one."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {name: {} for name in _SORT_KEYS}

    def insert(self, table: str, rows: pa.Table) -> None:
        """Keep each row unless one with the same sorting key and a greater version is there."""
        stored = self._rows[table]
        for row in rows.to_pylist():
            key = tuple(row[name] for name in _SORT_KEYS[table])
            if key not in stored or stored[key]["row_version"] <= row["row_version"]:
                stored[key] = row

    def logical(self, table: str, *, without: Sequence[str] = ()) -> list[dict[str, Any]]:
        """The rows as a reader sees them, sorted."""
        rows = [
            {name: value for name, value in row.items() if name not in without} for row in self._rows[table].values()
        ]
        return sorted(rows, key=lambda row: (row["project_id"], row["id"]))

    def observations(self, projects: Sequence[str], trace_ids: Sequence[str]) -> pa.Table:
        """See Contributions.observations."""
        found = self._observations(projects, trace_ids)
        in_parts = pa.array([bool(row["merge_state"]) for row in found], pa.bool_())
        return pa.Table.from_pylist(found, schema=tables.OBSERVATIONS).append_column("in_parts", in_parts)

    def whole_observations(self, projects: Sequence[str], trace_ids: Sequence[str], ids: Sequence[str]) -> pa.Table:
        """See Contributions.whole_observations."""
        found = [row for row in self._observations(projects, trace_ids) if row["id"] in set(ids)]
        return pa.Table.from_pylist(found, schema=tables.OBSERVATIONS)

    def _observations(self, projects: Sequence[str], trace_ids: Sequence[str]) -> list[dict[str, Any]]:
        return [row for row in self._of("observations", projects) if row["trace_id"] in set(trace_ids)]

    def scores(self, projects: Sequence[str], subjects: Sequence[str]) -> pa.Table:
        """See Contributions.scores."""
        found = [row for row in self._of("scores", projects) if _score_subject(row) in set(subjects)]
        return pa.Table.from_pylist(found, schema=tables.SCORES)

    def traces(self, projects: Sequence[str], trace_ids: Sequence[str]) -> pa.Table:
        """See Contributions.traces."""
        found = [row for row in self._of("traces", projects) if row["id"] in set(trace_ids)]
        return pa.Table.from_pylist(found, schema=tables.TRACES)

    def scores_by_id(self, projects: Sequence[str], ids: Sequence[str]) -> pa.Table:
        """See Contributions.scores_by_id."""
        found = [row for row in self._of("scores", projects) if row["id"] in set(ids)]
        return pa.Table.from_pylist(found, schema=tables.SCORES)

    def known_subjects(self) -> Iterator[np.ndarray]:
        """See Contributions.known_subjects."""
        digests = [subject_hash(row["project_id"], row["id"]) for row in self._rows["traces"].values()]
        digests += [subject_hash(row["project_id"], _score_subject(row)) for row in self._rows["scores"].values()]
        yield np.array(digests, dtype=np.uint64)

    def remove(self, table: str, is_meant: Callable[[dict[str, Any]], bool]) -> int:
        """Delete rows, and count them."""
        kept = {key: row for key, row in self._rows[table].items() if not is_meant(row)}
        removed = len(self._rows[table]) - len(kept)
        self._rows[table] = kept
        return removed

    def subjects_of(self, projects: Sequence[str]) -> Iterator[np.ndarray]:
        """See Contributions.subjects_of."""
        del projects
        return self.known_subjects()

    def _of(self, table: str, projects: Sequence[str]) -> list[dict[str, Any]]:
        return [row for row in self._rows[table].values() if row["project_id"] in projects]


def _score_subject(row: dict[str, Any]) -> str:
    return row["trace_id"] or (f"session:{row['session_id']}" if row["session_id"] else f"run:{row['dataset_run_id']}")


class Deletable(Protocol):
    """Rows that can be deleted; see `StoredRows`."""

    def remove(self, table: str, is_meant: Callable[[dict[str, Any]], bool]) -> int: ...

    def logical(self, table: str, *, without: Sequence[str] = ()) -> list[dict[str, Any]]: ...


class NoPayloads:
    """Object storage without payloads."""

    def remove_of_traces(self, project_id: str, trace_ids: Sequence[str]) -> dict[str, int]:
        """See OversizedPayloads.remove_of_traces."""
        del project_id, trace_ids
        return {}

    def remove_of_project(self, project_id: str, share: Share) -> int:
        """See OversizedPayloads.remove_of_project."""
        del project_id, share
        return 0


class StoredRowDeletions:
    """Deletes below limits like `RowDeletions`, for a lane that owns everything."""

    def __init__(self, stored: Deletable) -> None:
        self._stored = stored

    def traces(self, project_id: str, limits: Mapping[str, int], share: Share) -> dict[str, Removed]:
        """See RowDeletions.traces."""
        del share
        removed = {}
        for trace_id, limit in limits.items():
            counts = {
                table: self._remove(table, project_id, limit, **{column: trace_id})
                for table, column in (("observations", "trace_id"), ("scores", "trace_id"), ("traces", "id"))
            }
            removed[trace_id] = Removed.from_json(counts)
        return removed

    def session_scores(self, project_id: str, limits: Mapping[str, int], share: Share) -> dict[str, Removed]:
        """See RowDeletions.session_scores."""
        del share
        return {
            subject: Removed(scores=self._remove("scores", project_id, limit, trace_id="", session_id=subject))
            for subject, limit in limits.items()
        }

    def scores(self, project_id: str, limits: Mapping[str, int], share: Share) -> dict[str, Removed]:
        """See RowDeletions.scores."""
        del share
        return {
            subject: Removed(scores=self._remove("scores", project_id, limit, id=subject))
            for subject, limit in limits.items()
        }

    def project(self, project_id: str, limit: int, share: Share) -> Removed:
        """See RowDeletions.project."""
        del share
        return Removed.from_json({table: self._remove(table, project_id, limit) for table in _SORT_KEYS})

    def traces_of(
        self, column: str, project_id: str, limits: Mapping[str, int], *, share: Share
    ) -> list[tuple[str, str]]:
        """See RowDeletions.traces_of."""
        del share
        return [
            (row["id"], row[column])
            for row in self._stored.logical("traces")
            if row["project_id"] == project_id and row["row_version"] < limits.get(row[column], 0)
        ]

    def _remove(self, table: str, project_id: str, limit: int, **values: str) -> int:
        wanted = {"project_id": project_id, **values}
        return self._stored.remove(
            table,
            lambda row: row["row_version"] < limit and wanted.items() <= {name: row[name] for name in wanted}.items(),
        )

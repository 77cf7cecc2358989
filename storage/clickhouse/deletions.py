"""Deleting rows, by the lanes alone: of one subject those that are older than its tombstone."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from heliograph.domain.deletions import Removed
from heliograph.domain.errors import QueryTooExpensive, Unavailable
from heliograph.domain.lanes import Share
from storage.clickhouse.deferred import DeferredClient

_RETRY_AFTER_SECONDS = 1.0
_AWAY = (ClickHouseError, HTTPError, OSError, pa.ArrowException, QueryTooExpensive)
# The server hides the rows by patch parts before it answers; a table without these waits for a mutation.
_SETTINGS = {
    "lightweight_delete_mode": "lightweight_update",
    "lightweight_deletes_sync": 2,
    "max_execution_time": 100,
}
# ClickHouse takes no longer parameter than 128 kB; a limit has up to 20 digits and a comma.
_SUBJECTS_AT_ONCE = 4_000
_BYTES_AT_ONCE = 100_000


class _Target(NamedTuple):
    """The table that has rows of a kind of subject, the column that names it, and which lane's they are."""

    table: str
    subject: str
    rows: str


# Each is a condition of ours without values: the rows of the subjects below their limits which this lane owns.
_BELOW = """
    project_id = {project_id:String} AND {subject:Identifier} IN {subjects:Array(String)}
    AND row_version < transform(
        {subject:Identifier}, {subjects:Array(String)}, {limits:Array(UInt64)}, toUInt64(0))
"""
_OF_TRACE = _BELOW + "AND CRC32({subject:Identifier}) % {modulus:UInt32} = {remainder:UInt32}"
_OF_SESSION = (
    _BELOW + "AND trace_id = '' AND CRC32(concat('session:', session_id)) % {modulus:UInt32} = {remainder:UInt32}"
)
_OF_ANY = (
    _BELOW
    + """AND CRC32(multiIf(trace_id != '', trace_id, session_id != '', concat('session:', session_id),
        concat('run:', dataset_run_id))) % {modulus:UInt32} = {remainder:UInt32}"""
)

_OBSERVATIONS_OF_TRACES = _Target("observations", "trace_id", _OF_TRACE)
_SCORES_OF_TRACES = _Target("scores", "trace_id", _OF_TRACE)
_TRACES = _Target("traces", "id", _OF_TRACE)
_SCORES_OF_SESSIONS = _Target("scores", "session_id", _OF_SESSION)
_SCORES = _Target("scores", "id", _OF_ANY)
_OBSERVATIONS_OF_PROJECT = _Target(
    "observations", "project_id", _BELOW + "AND CRC32(trace_id) % {modulus:UInt32} = {remainder:UInt32}"
)
_SCORES_OF_PROJECT = _Target("scores", "project_id", _OF_ANY)
_TRACES_OF_PROJECT = _Target("traces", "project_id", _BELOW + "AND CRC32(id) % {modulus:UInt32} = {remainder:UInt32}")

Limits = Mapping[str, int]


class RowDeletions:
    """Deletes rows below a row version, and counts them by subject. Blocking: call it from a thread.

    Every method may raise Unavailable; what it did until then stays done, and it may be called again.
    """

    def __init__(self, client: DeferredClient) -> None:
        self._client = client

    def traces(self, project_id: str, limits: Limits, share: Share) -> dict[str, Removed]:
        """Delete traces with their observations and scores; the trace rows last, since they tell what belongs to it."""
        return self._all((_OBSERVATIONS_OF_TRACES, _SCORES_OF_TRACES, _TRACES), project_id, limits, share=share)

    def session_scores(self, project_id: str, limits: Limits, share: Share) -> dict[str, Removed]:
        """Delete the scores on sessions themselves."""
        return self._all((_SCORES_OF_SESSIONS,), project_id, limits, share=share)

    def scores(self, project_id: str, limits: Limits, share: Share) -> dict[str, Removed]:
        """Delete scores by their ids."""
        return self._all((_SCORES,), project_id, limits, share=share)

    def project(self, project_id: str, limit: int, share: Share) -> Removed:
        """Delete everything of a project."""
        targets = (_OBSERVATIONS_OF_PROJECT, _SCORES_OF_PROJECT, _TRACES_OF_PROJECT)
        return self._all(targets, project_id, {project_id: limit}, share=share).get(project_id, Removed())

    _TRACES_OF = """
        SELECT DISTINCT id, {subject:Identifier} AS subject FROM traces FINAL
        WHERE
    """

    def traces_of(self, column: str, project_id: str, limits: Limits, *, share: Share) -> list[tuple[str, str]]:
        """Return the traces of sessions or users (`column` names which), each with its session or user."""
        owned = "AND CRC32(id) % {modulus:UInt32} = {remainder:UInt32}"
        found: list[tuple[str, str]] = []
        for part in _portions(limits):
            parameters = _parameters(_Target("traces", column, ""), project_id, part, share=share)
            rows = self._query(self._TRACES_OF + _BELOW + owned, parameters)
            found.extend(zip(rows["id"].to_pylist(), rows["subject"].to_pylist(), strict=True))
        return found

    # Superseded versions of a row count once, and their rows are deleted with it.
    _COUNT = "SELECT {subject:Identifier} AS subject, uniqExact(id) AS removed FROM {table:Identifier} WHERE"
    _DELETE = "DELETE FROM {table:Identifier} WHERE"

    def _all(
        self, targets: tuple[_Target, ...], project_id: str, limits: Limits, *, share: Share
    ) -> dict[str, Removed]:
        removed: dict[str, Removed] = {}
        for part in _portions(limits):
            for target in targets:
                parameters = _parameters(target, project_id, part, share=share)
                found = self._query(f"{self._COUNT} {target.rows} GROUP BY subject", parameters)
                if found.num_rows == 0:
                    continue
                self._command(f"{self._DELETE} {target.rows}", parameters)
                for subject, count in zip(found["subject"].to_pylist(), found["removed"].to_pylist(), strict=True):
                    removed[subject] = removed.get(subject, Removed()) + Removed.from_json({target.table: count})
        return removed

    def _query(self, sql: str, parameters: dict[str, Any]) -> pa.Table:
        try:
            return self._client.get().query_arrow(sql, parameters=parameters)
        except _AWAY as error:
            raise Unavailable("ClickHouse", _RETRY_AFTER_SECONDS) from error

    def _command(self, sql: str, parameters: dict[str, Any]) -> None:
        try:
            self._client.get().command(sql, parameters=parameters, settings=_SETTINGS)
        except _AWAY as error:
            raise Unavailable("ClickHouse", _RETRY_AFTER_SECONDS) from error


def _parameters(target: _Target, project_id: str, limits: Limits, *, share: Share) -> dict[str, Any]:
    return {
        "table": target.table,
        "subject": target.subject,
        "project_id": project_id,
        "subjects": list(limits),
        "limits": list(limits.values()),
        "modulus": share.modulus,
        "remainder": share.remainder,
    }


def _portions(limits: Limits) -> Iterator[dict[str, int]]:
    portion: dict[str, int] = {}
    length = 0
    for subject, limit in limits.items():
        size = 4 * len(subject) + 8
        if portion and (len(portion) == _SUBJECTS_AT_ONCE or length + size > _BYTES_AT_ONCE):
            yield portion
            portion, length = {}, 0
        portion[subject] = limit
        length += size
    if portion:
        yield portion

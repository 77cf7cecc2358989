"""The scores of a project: selected like any rows, and written from data frames."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pyarrow as pa

from heliograph.client.asked import Asked, Moment
from heliograph.client.columns import Where
from heliograph.client.connection import Connection
from heliograph.client.score_analytics import ScoreAnalytics
from heliograph.client.selections import Selection
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.selections import SelectedTable

Progress = Callable[[int, int], None]

_BATCH_ROWS = 500
# How a column is called, and the contract's name for it.
_FIELDS = {
    "trace_id": "traceId",
    "observation_id": "observationId",
    "session_id": "sessionId",
    "dataset_run_id": "datasetRunId",
    "value": "value",
    "data_type": "dataType",
    "comment": "comment",
    "metadata": "metadata",
    "config_id": "configId",
    "environment": "environment",
    "source": "source",
    "evaluator_version": "evaluatorVersion",
}
_SUBJECTS = ("traceId", "observationId", "sessionId", "datasetRunId")


@dataclass(frozen=True)
class RefusedRow:
    """A row that has not become a score: its place in the frame, from 0, and why."""

    row: int
    reason: str


@dataclass
class ScoreReport:
    """How many rows are scores now, and those that are not."""

    written: int = 0
    refused: list[RefusedRow] = field(default_factory=list)


class ScoresOfProject:
    """The scores of a project. Called, it is a selection of them; `write` adds some; `analytics` says what they say.

    Example:
        >>> project.scores(since="7d", where=col.name == "quality").to_pandas()
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.analytics = ScoreAnalytics(connection)

    def __call__(
        self,
        *,
        since: Moment = None,
        until: Moment = None,
        where: Where | None = None,
        select: Sequence[str] | None = None,
    ) -> Selection:
        """A selection of scores by their timestamp; see `Project.observations`."""
        asked = Asked.of(SelectedTable.SCORES, since=since, until=until, where=where, select=select)
        return Selection(self._connection, asked)

    def write(self, frame: Any, *, name: str = "", run: str = "", on_progress: Progress | None = None) -> ScoreReport:
        """Write each row as a score. Acknowledged scores are durable, and are read a moment later.

        A score without an `id` gets one from its subject, its name and `run`: writing a frame again, as one does after
        a failure, changes scores and adds none; another `run` adds its own beside them.

        Args:
            frame: a pandas or polars DataFrame, an Arrow table, or a list of dicts, with the columns `value` (number,
                truth value or text), `trace_id` (with `observation_id` for an observation's), or `session_id`, or
                `dataset_run_id`; and, where wanted, `name`, `data_type`, `comment`, `metadata`, `config_id`,
                `environment`, `evaluator_version`, `source`, `id`. Other columns are left out.
            name: of the scores; without it the column `name`.
            run: what tells these scores from others of the same name.
            on_progress: told after each batch how many rows are done, of how many.

        Returns:
            How many were written, and each refused row with the reason.

        Raises:
            InvalidRequest: the frame has no values, no subject or no name.
            Unavailable: the server did not answer for a while; write the frame again.

        Example:
            >>> report = project.scores.write(frame[["trace_id", "value"]], name="quality")
            >>> report.written, report.refused
        """
        table = table_of(frame)
        _require_columns(table, name)
        report, done = ScoreReport(), 0
        for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
            rows = batch.to_pylist()
            self._write(list(_bodies(rows, done, name=name, run=run)), report)
            done += len(rows)
            if on_progress is not None:
                on_progress(done, table.num_rows)
        report.refused.sort(key=lambda refused: refused.row)
        return report

    def send(self, rows: Sequence[Mapping[str, Any]], *, run: str = "") -> ScoreReport:
        """Write rows whose values are of several types, which no frame has; otherwise as `write`."""
        report = ScoreReport()
        for start in range(0, len(rows), _BATCH_ROWS):
            part = list(map(dict, rows[start : start + _BATCH_ROWS]))
            self._write(list(_bodies(part, start, name="", run=run)), report)
        return report

    def _write(self, bodies: list[tuple[int, dict[str, Any] | str]], report: ScoreReport) -> None:
        events: list[dict[str, Any]] = []
        now = datetime.now(UTC).isoformat()
        for row, body in bodies:
            if isinstance(body, str):
                report.refused.append(RefusedRow(row, body))
            else:
                # An event's id tells its row when it is refused.
                event_id = f"{row}:{body['id']}"
                events.append({"id": event_id, "type": "score-create", "timestamp": now, "body": body})
        if not events:
            return
        answer = self._connection.request("POST", "/ingestion", {"batch": events})
        refused = {int(error["id"].split(":")[0]): _reason(error) for error in answer["errors"]}
        report.refused += [RefusedRow(row, reason) for row, reason in refused.items()]
        report.written += len(events) - len(refused)


def _reason(error: Mapping[str, Any]) -> str:
    return str(error.get("error") or error.get("message"))


def table_of(frame: Any) -> pa.Table:
    """The Arrow table of a pandas or polars DataFrame, of an Arrow table or batch, or of a list of dicts."""
    match frame:
        case pa.Table():
            return frame
        case pa.RecordBatch():
            return pa.Table.from_batches([frame])
        case list():
            return pa.Table.from_pylist(frame)
    if hasattr(frame, "to_arrow"):
        return frame.to_arrow()
    if hasattr(frame, "iloc"):
        return pa.Table.from_pandas(frame, preserve_index=False)
    reason = f"must be a DataFrame, an Arrow table or a list of dicts, not {type(frame).__name__}"
    raise InvalidRequest("frame", reason)


def score_id(body: Mapping[str, Any], run: str) -> str:
    """The id of a score that has none: by what it is about, its name, its run, and the evaluator's version if any."""
    parts = [*(str(body.get(subject) or "") for subject in _SUBJECTS), str(body["name"]), run]
    if body.get("evaluatorVersion"):
        parts.append(body["evaluatorVersion"])
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def _require_columns(table: pa.Table, name: str) -> None:
    columns = set(table.column_names)
    if "value" not in columns:
        raise InvalidRequest("frame", "has no column value")
    if not columns & {"trace_id", "session_id", "dataset_run_id"}:
        raise InvalidRequest("frame", "has no column trace_id, session_id or dataset_run_id")
    if not name and "name" not in columns:
        raise InvalidRequest("name", "give a name, or a column name")


def _bodies(
    rows: list[dict[str, Any]], first: int, *, name: str, run: str
) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, row in enumerate(rows, first):
        body = {ours: value for column, ours in _FIELDS.items() if (value := row.get(column)) is not None}
        body["name"] = name or row.get("name")
        value = body.get("value")
        if not body["name"]:
            yield number, "has no name"
        elif value is None or (isinstance(value, float) and not math.isfinite(value)):
            yield number, "value is missing or not finite"
        else:
            if isinstance(value, bool):
                body |= {"value": int(value), "dataType": body.get("dataType", "BOOLEAN")}
            yield number, body | {"id": row.get("id") or score_id(body, run)}

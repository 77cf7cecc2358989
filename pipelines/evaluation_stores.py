"""What the parts of evaluation runs on the cluster read from and write to."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from actors.intake import Appends
from heliograph.domain.evaluation_runs import EvaluationPart, NewRun
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.selections import Selection
from heliograph.evaluation_targets import targets_of
from ingestion.project_mapping import ProjectMapping
from ingestion.scores import ScoreBody
from storage.clickhouse.arrow import read_stream
from storage.clickhouse.run_scores import RunScores
from storage.clickhouse.selections import Selections

# One append of a judge's verdicts and of their traces.
_SCORES_AT_ONCE = 4_000
_ROWS_AT_ONCE = 8_000


class StoredTargets:
    """The targets of one run.

    Args:
        asked: which ones.
        columns: what is read of them.
        selections: of the project.
        scores: of the project.
    """

    def __init__(self, asked: NewRun, columns: Sequence[str], *, selections: Selections, scores: RunScores) -> None:
        self._asked, self._columns = asked, tuple(columns)
        self._selections, self._scores = selections, scores

    async def read(self, part: EvaluationPart) -> AsyncIterator[pa.Table]:
        """The rows of a part; raises Unavailable, StreamBroken."""
        table, selection = self._asked.table, within(self._asked.selection, part, self._columns)
        rows = await read_stream(await self._selections.stream(table, selection))
        for start in range(0, rows.num_rows, _ROWS_AT_ONCE):
            yield targets_of(table, rows.slice(start, _ROWS_AT_ONCE))

    async def known(self, ids: Sequence[str]) -> Mapping[str, str]:
        """See `Targets.known`."""
        return await self._scores.runs(ids)


def within(selection: Selection, part: EvaluationPart, columns: Sequence[str]) -> Selection:
    """The rows of a part, with these columns."""
    return selection.model_copy(update={"since": part.since, "until": part.until, "select": tuple(columns)})


class LaneScores:
    """Scores on the way that all scores take."""

    def __init__(self, lanes: Appends, mapping: ProjectMapping) -> None:
        self._lanes, self._mapping = lanes, mapping

    async def write(self, scores: pa.Table) -> None:
        """See `Scores.write`; raises Overloaded, Unavailable."""
        for start in range(0, scores.num_rows, _SCORES_AT_ONCE):
            bodies = [_body(row) for row in plain_rows(scores.slice(start, _SCORES_AT_ONCE))]
            await self._lanes.append(await self._mapping.scores(bodies))


def _body(row: Mapping[str, Any]) -> ScoreBody:
    value, kind = row["value"], row["data_type"]
    is_text = isinstance(value, str)
    label = ("True" if value else "False") if kind == "BOOLEAN" else ""
    return ScoreBody(
        name=row["name"],
        data_type=kind,
        id=row["id"],
        value=0.0 if is_text else value,
        text=value if is_text else label,
        source=row["source"],
        trace_id=row["trace_id"],
        observation_id=row["observation_id"],
        environment=row["environment"],
        comment=row["comment"] or "",
        metadata=row["metadata"],
        execution_trace_id=row["execution_trace_id"] or "",
        evaluator_version=row["evaluator_version"],
    )

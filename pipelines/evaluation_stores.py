"""What the parts of evaluation runs on the cluster read from and write to."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from actors.intake import Appends
from heliograph.domain.evaluation_runs import EvaluationPart, EvaluatorSpec, NewRun
from heliograph.domain.plain_rows import plain_rows
from heliograph.domain.rule_specs import TargetKey
from heliograph.domain.selections import SelectedTable, Selection
from heliograph.evaluation_targets import targets_of
from heliograph.run_evaluator import keys_of, only
from ingestion.project_mapping import ProjectMapping
from ingestion.scores import ScoreBody
from storage.clickhouse.arrow import read_stream
from storage.clickhouse.run_scores import RunScores
from storage.clickhouse.selections import Selections
from storage.clickhouse.traces import Traces
from storage.postgres.rule_claims import RuleClaims

# One append of a judge's verdicts and of their traces.
_SCORES_AT_ONCE = 4_000
_ROWS_AT_ONCE = 8_000
# Their roots are named to the server one by one.
_TRACES_AT_ONCE = 1_000
_OF_ROOTS = ("timestamp", "end_time", "root_observation_id", "input", "output")


class StoredTargets:
    """The targets of one run.

    Args:
        asked: which ones.
        columns: what is read of them.
        selections: of the project.
        scores: of the project.
        traces: of the project.
        claims: of rules.
    """

    def __init__(
        self,
        asked: NewRun,
        columns: Sequence[str],
        *,
        selections: Selections,
        scores: RunScores,
        traces: Traces,
        claims: RuleClaims,
    ) -> None:
        self._asked, self._columns = asked, tuple(columns)
        self._selections, self._scores, self._traces, self._claims = selections, scores, traces, claims

    async def read(self, part: EvaluationPart) -> AsyncIterator[pa.Table]:
        """The rows of a part; raises Unavailable, StreamBroken."""
        asked = self._asked.selection.model_copy(update={"since": part.since, "until": part.until})
        async for rows in target_rows(
            self._asked.table, asked, self._columns, selections=self._selections, traces=self._traces
        ):
            yield rows

    async def known(self, spec: EvaluatorSpec, targets: pa.Table) -> Mapping[str, str]:
        """See `Targets.known`."""
        waiting = await self._claims.open(spec.rule, keys_of(targets)) if spec.rule else frozenset[TargetKey]()
        taken = dict.fromkeys(only(targets, waiting)["score_id"].to_pylist(), "")
        return {**taken, **await self._scores.runs(targets["score_id"].to_pylist())}


async def target_rows(
    table: SelectedTable, asked: Selection, columns: Sequence[str], *, selections: Selections, traces: Traces
) -> AsyncIterator[pa.Table]:
    """The rows of a selection as targets, in portions; a trace without input or output has its root's."""
    of_roots = table is SelectedTable.TRACES and not {"input", "output"}.isdisjoint(columns)
    wanted = tuple(dict.fromkeys((*columns, *_OF_ROOTS))) if of_roots else tuple(columns)
    rows = await read_stream(await selections.stream(table, asked.model_copy(update={"select": wanted})))
    at_once = _TRACES_AT_ONCE if of_roots else _ROWS_AT_ONCE
    for start in range(0, rows.num_rows, at_once):
        portion = rows.slice(start, at_once)
        yield targets_of(table, await traces.with_payloads(portion) if of_roots else portion)


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
        session_id=row.get("session_id") or "",
        environment=row["environment"],
        comment=row["comment"] or "",
        metadata=row["metadata"],
        execution_trace_id=row["execution_trace_id"] or "",
        evaluator_version=row["evaluator_version"],
    )

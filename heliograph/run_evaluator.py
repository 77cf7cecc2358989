"""An evaluator as a run uses it, and its verdicts as rows of scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from heliograph.domain.evaluation_jobs import score_id
from heliograph.domain.evaluation_rules import RULE_KEY
from heliograph.domain.evaluation_runs import RUN_KEY, EvaluatorSpec
from heliograph.domain.evaluators import Verdict
from heliograph.domain.rule_specs import TargetKey
from heliograph.domain.scores import ScoreDataType
from heliograph.evaluator import Evaluator

# A column that no row has: the observations of a target's trace.
TREE = "trace"
# And one that no row has either: the traces of the target's session.
SESSION = "session"
_REASON_CHARACTERS = 4_000
_KEYS = TargetKey._fields
# What is kept of a row beside the verdict on it.
KEPT = ("score_id", *_KEYS, "environment")
VERDICTS = pa.schema(
    [
        *((name, pa.string()) for name in KEPT),
        ("name", pa.string()),
        ("data_type", pa.string()),
        ("value", pa.float64()),
        ("label", pa.string()),
        ("reason", pa.string()),
        ("metadata", pa.map_(pa.string(), pa.string())),
        ("execution_trace_id", pa.string()),
    ]
)


@dataclass(frozen=True)
class RunEvaluator:
    """An evaluator as a run uses it."""

    spec: EvaluatorSpec
    evaluator: Evaluator

    @property
    def columns(self) -> set[str]:
        """What it may read of a target."""
        evaluator = self.evaluator
        return {evaluator.source_of(name).column for name in (*evaluator.inputs, *evaluator.optional)}

    @property
    def is_of_sessions(self) -> bool:
        """Whether it judges the sessions of the rows, each once, and not the rows."""
        return SESSION in self.columns

    @property
    def is_asked(self) -> bool:
        """Whether it is asked about one target after the other, as judges are, and what reads a whole tree of rows."""
        is_wide = not self.columns.isdisjoint((TREE, SESSION))
        return not self.evaluator.is_vectorised and (self.evaluator.is_async or is_wide)

    def targets(self, rows: pa.Table) -> pa.Table:
        """What it judges of some rows: these, or their sessions, whose id stands in `observation_id`."""
        if not self.is_of_sessions:
            return rows
        ids = rows["session_id"].to_pylist()
        first = {session_id: place for place, session_id in reversed(list(enumerate(ids))) if session_id}
        chosen = rows.take(pa.array(sorted(first.values()), pa.int64()))
        nothing = pa.repeat(pa.scalar(""), chosen.num_rows)
        for name, column in (("trace_id", nothing), ("observation_id", chosen["session_id"])):
            chosen = chosen.set_column(chosen.schema.get_field_index(name), name, column)
        return chosen

    def scores(self, row: Mapping[str, Any], verdict: Verdict, trace_id: str) -> list[dict[str, Any]]:
        """A verdict on a target as rows of VERDICTS, with the trace of its judges' calls.

        One of a rule has the ids that the rule gives, and may be several scores.
        """
        rule = self.spec.rule
        told = {name: row[name] for name in KEPT} | {"execution_trace_id": trace_id}
        if rule is None:
            return [told | _said(verdict, self.spec.score_name)]
        by, target = rule.by(self.evaluator.version), rule.target_of(key_of(row))
        rows: list[dict[str, Any]] = []
        for one in (verdict, *verdict.further):
            said = _said(one, self.spec.score_name)
            occurrence = sum(earlier["name"] == said["name"] for earlier in rows)
            found = {
                "score_id": score_id(by, target, said["name"], occurrence=occurrence),
                "metadata": list(one.metadata.items()),
            }
            rows.append(told | said | found)
        return rows


def _said(verdict: Verdict, name: str) -> dict[str, Any]:
    is_text = isinstance(verdict.value, str)
    return {
        "name": verdict.name or name,
        "data_type": verdict.data_type,
        "value": None if is_text else float(verdict.value),
        "label": str(verdict.value) if isinstance(verdict.value, str | bool) else None,
        "reason": verdict.reason,
    }


def key_of(row: Mapping[str, Any]) -> TargetKey:
    """The target of a row."""
    return TargetKey(row["trace_id"], row["observation_id"])


def keys_of(table: pa.Table) -> list[TargetKey]:
    """The targets of all rows, in their order."""
    return [TargetKey(*key) for key in zip(*(table[name].to_pylist() for name in _KEYS), strict=True)]


def only(table: pa.Table, wanted: frozenset[TargetKey]) -> pa.Table:
    """The rows of these targets."""
    return table.filter(pa.array([target in wanted for target in keys_of(table)], pa.bool_()))


def scores_of(one: RunEvaluator, verdicts: pa.Table, run_id: str, *, texts: bool) -> pa.Table:
    """Verdicts as the columns of scores."""
    rows = verdicts.num_rows
    columns = {
        "id": verdicts["score_id"],
        "name": _given(verdicts, "name", one.spec.score_name),
        **_subject(one, verdicts),
        "environment": verdicts["environment"],
        "value": verdicts["label"] if texts else verdicts["value"],
        "data_type": _data_type(one, verdicts, texts=texts),
        "comment": pc.utf8_slice_codeunits(verdicts["reason"], 0, _REASON_CHARACTERS),
        "metadata": _metadata(one.spec, verdicts, run_id),
        "evaluator_version": pa.repeat(one.evaluator.version, rows),
        "execution_trace_id": _given(verdicts, "execution_trace_id", None),
        "source": pa.repeat("EVAL", rows),
    }
    return pa.table(columns)


def _subject(one: RunEvaluator, verdicts: pa.Table) -> dict[str, pa.ChunkedArray | pa.Array]:
    """What scores are about."""
    if not one.is_of_sessions:
        return {"trace_id": verdicts["trace_id"], "observation_id": verdicts["observation_id"]}
    nothing = pa.repeat(pa.scalar(""), verdicts.num_rows)
    return {"trace_id": nothing, "observation_id": nothing, "session_id": verdicts["observation_id"]}


def _given(verdicts: pa.Table, name: str, otherwise: str | None) -> pa.ChunkedArray | pa.Array:
    if name in verdicts.column_names:
        return verdicts[name]
    return pa.repeat(pa.scalar(otherwise, pa.string()), verdicts.num_rows)


def _data_type(one: RunEvaluator, verdicts: pa.Table, *, texts: bool) -> pa.ChunkedArray | pa.Array:
    rule = one.evaluator.values
    if texts:
        is_free = rule is not None and rule.data_type is ScoreDataType.TEXT
        told = pa.scalar(ScoreDataType.TEXT.value if is_free else ScoreDataType.CATEGORICAL.value)
    else:
        told = pc.if_else(pc.is_valid(verdicts["label"]), ScoreDataType.BOOLEAN.value, ScoreDataType.NUMERIC.value)
    return pc.coalesce(_given(verdicts, "data_type", None), told)


def _metadata(spec: EvaluatorSpec, verdicts: pa.Table, run_id: str) -> pa.Array:
    """What leads from a score to its run and its rule, and what its evaluator said beside it."""
    rule = spec.rule
    if rule is None:
        return pa.array([{RUN_KEY: run_id}] * verdicts.num_rows)
    about = {RUN_KEY: run_id, RULE_KEY: rule.rule_id, "evaluator_id": rule.evaluator_id}
    told = [[*own, *about.items()] for own in verdicts["metadata"].to_pylist()]
    return pa.array(told, VERDICTS.field("metadata").type)

"""What evaluators read of targets: which columns are selected for it, and those that are made of others."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.selections import SelectedTable
from heliograph.run_evaluator import SESSION, TREE, RunEvaluator

_ALWAYS = {
    SelectedTable.OBSERVATIONS: ("id", "trace_id", "environment"),
    SelectedTable.TRACES: ("id", "environment"),
}


@dataclass(frozen=True)
class _Made:
    """A column that is made of another one."""

    of: str
    make: Callable[[pa.ChunkedArray], pa.ChunkedArray]


def _usage(key: str) -> _Made:
    def make(column: pa.ChunkedArray) -> pa.ChunkedArray:
        return pc.map_lookup(column, pa.scalar(key), "last").cast(pa.float64())

    return _Made("usage_details", make)


_MADE: Mapping[str, _Made] = {
    "latency_seconds": _Made("latency", lambda column: column),
    "input_tokens": _usage("input"),
    "output_tokens": _usage("output"),
    "total_tokens": _usage("total"),
}


def columns_of(table: SelectedTable, evaluators: Iterable[RunEvaluator], known: Collection[str]) -> tuple[str, ...]:
    """What has to be selected of a table, given the columns that it has.

    Raises:
        InvalidRequest: only observations and traces are judged, or an evaluator needs what the table has not.
    """
    if table not in _ALWAYS:
        raise InvalidRequest("table", f"{table} are not judged: select observations or traces")
    names = dict.fromkeys(_ALWAYS[table])
    for one in evaluators:
        needed = {one.evaluator.source_of(name).column for name in one.evaluator.inputs}
        for column in sorted(one.columns):
            source = _MADE[column].of if column in _MADE else column
            if source in known:
                names[source] = None
            elif column == SESSION:
                names["session_id"] = None
            elif column in needed and column != TREE:
                reason = f"{one.spec.name} needs {column}, which {table} do not have: give it a source"
                raise InvalidRequest("evaluators", reason)
    return tuple(names)


def columns_read(table: SelectedTable, evaluators: Iterable[RunEvaluator]) -> tuple[str, ...]:
    """What has to be selected for evaluators of which every input is to be there."""
    needed = [one.evaluator.source_of(name).column for one in evaluators for name in one.evaluator.inputs]
    sources = (_MADE[column].of if column in _MADE else column for column in needed)
    if table not in _ALWAYS:
        raise InvalidRequest("table", f"{table} are not judged: select observations or traces")
    return tuple(dict.fromkeys((*_ALWAYS[table], *sources)))


def targets_of(table: SelectedTable, rows: pa.Table) -> pa.Table:
    """Selected rows as targets: with the ids of trace and observation, and with the columns made of others."""
    if table is SelectedTable.TRACES:
        ids = {"trace_id": rows["id"], "observation_id": pa.repeat(pa.scalar(""), rows.num_rows)}
    else:
        ids = {"observation_id": rows["id"]}
    for name, column in ids.items():
        rows = rows.append_column(name, column)
    for name, made in _MADE.items():
        if made.of in rows.column_names:
            rows = rows.append_column(name, made.make(rows[made.of]))
    return rows

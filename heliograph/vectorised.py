"""Evaluation over Arrow: the columns that an evaluator asked for, and its verdicts back in the rows' order."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from heliograph.domain.evaluators import OUTCOMES, Outcome, OutcomeStatus, ValueRule
from heliograph.domain.scores import ScoreDataType
from heliograph.variables import Source, selected

_NUMBERS = frozenset({"latency_seconds", "cost_usd", "input_tokens", "output_tokens", "total_tokens"})
_LISTS = frozenset({"context"})


class Verdicts(NamedTuple):
    """The verdicts of a vectorised evaluator.

    `values` is an array of booleans, numbers or texts, as long as the inputs; a null skips its row. `reasons` is an
    array of texts of the same length, or one text for all.
    """

    values: pa.Array
    reasons: pa.Array | str = ""


def column(name: str, source: Source, table: pa.Table) -> pa.Array | None:
    """An input as an array: of float64 for times, tokens and money, of lists of texts for `context`, else of texts.

    The empty text means absent, as in the tables, and becomes null. None when the table has no such column.
    """
    if source.column not in table.column_names:
        return None
    chunked = table.column(source.column)
    if source.json_path:
        values = [selected(value, source.json_path) for value in chunked.to_pylist(maps_as_pydicts="lossy")]
        return array_of(name, values)
    array = chunked.combine_chunks() if isinstance(chunked, pa.ChunkedArray) else chunked
    if name in _NUMBERS and _is_number(array.type):
        return array.cast(pa.float64())
    if name not in _LISTS | _NUMBERS and pa.types.is_string(array.type):
        return present(array)
    if name in _LISTS and pa.types.is_list(array.type) and pa.types.is_string(array.type.value_type):
        return array
    return array_of(name, array.to_pylist(maps_as_pydicts="lossy"))


def array_of(name: str, values: Iterable[Any]) -> pa.Array:
    """Plain values as the array of an input."""
    if name in _NUMBERS:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if name in _LISTS:
        return pa.array([_texts(value) for value in values], pa.list_(pa.string()))
    return present(pa.array([text_of(value) for value in values], pa.string()))


def present(texts: pa.Array) -> pa.Array:
    """Texts with null in place of the empty one."""
    if not len(texts) or not pc.any(pc.equal(texts, "")).as_py():
        return texts
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def text_of(value: object) -> str | None:
    """A value as text: what is no text as its JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def outcomes_of(result: Verdicts | pa.Array, rule: ValueRule | None, *, mask: pa.Array, absent: str) -> pa.Table:
    """A table of OUTCOMES with a row for each of the mask: verdicts where it is true, else skipped for the reason."""
    values, reasons = result if isinstance(result, Verdicts) else (result, "")
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(reasons, str):
        reasons = pa.repeat(pa.scalar(reasons), len(values))
    number, label = _number_and_label(values)
    allowed = _allowed(values, number, rule)
    scored = pc.fill_null(allowed, fill_value=False)
    status = pc.if_else(
        pc.is_null(values), str(OutcomeStatus.SKIPPED),
        pc.if_else(scored, str(OutcomeStatus.SCORED), str(OutcomeStatus.FAILED)),
    )  # fmt: skip
    failed = pc.equal(status, str(OutcomeStatus.FAILED))
    if pc.any(failed).as_py():
        said = pc.binary_join_element_wise("VerdictInvalid: ", pc.cast(values, pa.string()), " is not allowed", "")
        reasons = pc.if_else(failed, said, reasons)
    nothing = pa.nulls(len(values), pa.float64()), pa.nulls(len(values), pa.string())
    columns = [status, pc.if_else(scored, number, nothing[0]), pc.if_else(scored, label, nothing[1]), reasons]
    return _scattered(pa.table(dict(zip(OUTCOMES.names, columns, strict=True))), mask, absent)


def _number_and_label(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    if pa.types.is_boolean(values.type):
        return values.cast(pa.uint8()).cast(pa.float64()), pc.if_else(values, "True", "False")
    if pa.types.is_string(values.type):
        return pa.nulls(len(values), pa.float64()), values
    return values.cast(pa.float64()), pa.nulls(len(values), pa.string())


def _allowed(values: pa.Array, number: pa.Array, rule: ValueRule | None) -> pa.Array:
    if pa.types.is_string(values.type):
        categories = rule.categories if rule else ()
        return pc.is_in(values, pa.array(categories)) if categories else pc.is_valid(values)
    allowed = pc.is_finite(number)
    if rule is None or rule.data_type is not ScoreDataType.NUMERIC:
        return allowed
    if rule.minimum is not None:
        allowed = pc.and_(allowed, pc.greater_equal(number, rule.minimum))
    return allowed if rule.maximum is None else pc.and_(allowed, pc.less_equal(number, rule.maximum))


def _scattered(found: pa.Table, mask: pa.Array, absent: str) -> pa.Table:
    if len(found) == len(mask):
        return found.cast(OUTCOMES)
    places = pc.subtract(pc.cumulative_sum(mask.cast(pa.int64())), 1)
    taken = found.take(pc.if_else(mask, places, pa.scalar(None, pa.int64())))
    status = pc.fill_null(taken.column("status"), str(OutcomeStatus.SKIPPED))
    reason = pc.fill_null(taken.column("reason"), absent)
    return taken.set_column(0, "status", status).set_column(3, "reason", reason).cast(OUTCOMES)


def table_of(outcomes: Sequence[Outcome]) -> pa.Table:
    """Outcomes of single rows as a table of OUTCOMES."""
    return pa.Table.from_pylist([_row(outcome) for outcome in outcomes], OUTCOMES)


def _row(outcome: Outcome) -> Mapping[str, Any]:
    if outcome.verdict is None:
        return {"status": str(outcome.status), "reason": outcome.reason}
    value = outcome.verdict.value
    return {
        "status": str(outcome.status),
        "value": None if isinstance(value, str) else float(value),
        "label": str(value) if isinstance(value, str | bool) else None,
        "reason": outcome.verdict.reason,
    }


def _is_number(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_))


def _texts(value: Any) -> list[str] | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = _list_in(value)
    parts = value if isinstance(value, list | tuple) else [value]
    return [text_of(part) or "" for part in parts]


def _list_in(text: str) -> Any:
    if text[:1] != "[":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text

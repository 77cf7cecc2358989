"""Which columns the filter of an evaluation rule may name, and what of it only a payload can tell."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from heliograph.domain import filters
from heliograph.domain.evaluation_errors import RuleInvalid
from heliograph.domain.evaluation_rules import RuleTarget
from heliograph.domain.filters import Condition


class Allowed(NamedTuple):
    """The type of the condition on a column, and the values that it can have where they are few."""

    type: str
    values: tuple[str, ...] = ()


TYPES = ("SPAN", "EVENT", "GENERATION", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL")
LEVELS = ("DEBUG", "DEFAULT", "WARNING", "ERROR")

# Read in the payload, since no column holds them.
CALLED_TOOL_NAMES, TOOL_CALLS = "calledToolNames", "toolCalls"

_OBSERVATION = {
    "type": Allowed("stringOptions", TYPES),
    "name": Allowed("stringOptions"),
    "environment": Allowed("stringOptions"),
    "level": Allowed("stringOptions", LEVELS),
    "version": Allowed("string"),
    "traceName": Allowed("stringOptions"),
    "userId": Allowed("string"),
    "sessionId": Allowed("string"),
    "tags": Allowed("arrayOptions"),
    "metadata": Allowed("stringObject"),
    "isRootObservation": Allowed("boolean"),
    "parentObservationId": Allowed("null"),
    CALLED_TOOL_NAMES: Allowed("arrayOptions"),
    TOOL_CALLS: Allowed("number"),
}
_TRACE = {
    "name": Allowed("stringOptions"),
    "environment": Allowed("stringOptions"),
    "level": Allowed("stringOptions", LEVELS),
    "version": Allowed("string"),
    "release": Allowed("string"),
    "userId": Allowed("string"),
    "sessionId": Allowed("string"),
    "tags": Allowed("arrayOptions"),
    "metadata": Allowed("stringObject"),
    "observationCount": Allowed("number"),
    "errorCount": Allowed("number"),
    "latency": Allowed("number"),
    "totalCost": Allowed("number"),
    "totalTokens": Allowed("number"),
}
COLUMNS: Mapping[RuleTarget, Mapping[str, Allowed]] = {
    RuleTarget.OBSERVATION: _OBSERVATION,
    RuleTarget.EXPERIMENT: {**_OBSERVATION, "datasetId": Allowed("stringOptions")},
    RuleTarget.TRACE: _TRACE,
    # A session is what its traces are: one that meets the filter is enough.
    RuleTarget.SESSION: _TRACE,
}


def check(conditions: Sequence[Condition], target: RuleTarget) -> None:
    """Raise RuleInvalid when a condition cannot be asked of this target."""
    columns = COLUMNS[target]
    for condition in conditions:
        allowed = columns.get(condition.column)
        if allowed is None:
            reason = f"filter: there is no column {condition.column!r} for target {target}"
            raise _refused(reason, column=condition.column, allowedValues=sorted(columns))
        if condition.type != allowed.type:
            reason = f"filter: column {condition.column!r} takes conditions of type {allowed.type!r}"
            raise _refused(reason, column=condition.column, allowedValues=[allowed.type])
        wrong = _unknown(condition, allowed)
        if wrong:
            reason = f"filter: {', '.join(wrong)}: no value of column {condition.column!r}"
            raise _refused(reason, column=condition.column, invalidValues=wrong, allowedValues=list(allowed.values))


def in_payload(condition: Condition) -> bool:
    """Whether only the payload can tell."""
    return condition.column in {CALLED_TOOL_NAMES, TOOL_CALLS}


def holds(condition: Condition, names: Sequence[str]) -> bool:
    """Whether a condition on the tools that were called holds of these names."""
    match condition:
        case filters.ArrayOptionsCondition(operator="any of"):
            return not set(names).isdisjoint(condition.value)
        case filters.ArrayOptionsCondition(operator="none of"):
            return set(names).isdisjoint(condition.value)
        case filters.ArrayOptionsCondition():
            return set(names).issuperset(condition.value)
        case filters.NumberCondition():
            return _COMPARED[condition.operator](len(names), condition.value)
        case _:
            return False


_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip


def _unknown(condition: Condition, allowed: Allowed) -> list[str]:
    if not allowed.values or not isinstance(condition, filters.TextOptionsCondition):
        return []
    return [value for value in condition.value if value not in allowed.values]


def _refused(reason: str, **details: object) -> RuleInvalid:
    return RuleInvalid.of("invalid_filter_value", reason, details)

"""What a filter can ask of a column: its comparisons, and the types of conditions that carry them."""

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from heliograph.domain import filters
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Condition
from heliograph.domain.rule_filters import Allowed
from storage.clickhouse.columns import Column, Columns, Kind

_MODELS = (
    filters.DatetimeCondition, filters.TextCondition, filters.TextOptionsCondition, filters.CategoryOptionsCondition,
    filters.ArrayOptionsCondition, filters.NumberCondition, filters.TextObjectCondition,
    filters.NumberObjectCondition, filters.BooleanObjectCondition, filters.BooleanCondition,
    filters.PositionCondition, filters.NullCondition,
)  # fmt: skip
# Where two of them have the same operator, the first is the plain one.
_TYPES: Mapping[Kind, tuple[str, ...]] = {
    Kind.TEXT: ("string", "stringOptions", "null"), Kind.PAYLOAD: ("string", "null"),
    Kind.TEXTS: ("arrayOptions", "null"), Kind.TIME: ("datetime", "null"), Kind.NUMBER: ("number", "null"),
    Kind.BOOLEAN: ("boolean",), Kind.JSON_MAP: ("stringObject", "categoryOptions", "numberObject", "booleanObject"),
    Kind.NUMBER_MAP: ("numberObject",), Kind.TEXT_MAP: ("categoryOptions", "stringObject"),
    Kind.POSITION: ("positionInTrace",),
}  # fmt: skip
_TOLD_APART = {"numberObject": "number", "booleanObject": "true or false"}
# Of several values at once, separated by commas.
SEVERAL = frozenset({"stringOptions", "categoryOptions", "arrayOptions"})


def _choices(annotation: Any) -> list[str]:
    """The texts of a Literal, or of several."""
    if get_origin(annotation) in {Union, UnionType}:
        return [text for part in get_args(annotation) for text in _choices(part)]
    return list(get_args(annotation)) if get_origin(annotation) is Literal else []


_OPERATORS = {
    _choices(model.model_fields["type"].annotation)[0]: _choices(model.model_fields["operator"].annotation)
    for model in _MODELS
}
KEYED = frozenset(
    _choices(model.model_fields["type"].annotation)[0] for model in _MODELS if "key" in model.model_fields
)


class Comparison(NamedTuple):
    """An operator as conditions of a type have it."""

    type: str
    operator: str

    @property
    def needs_value(self) -> bool:
        """Whether something is compared with, or only asked for."""
        return not self.operator.startswith("is ")


class Asked(NamedTuple):
    """The comparisons of a column by what they are called, and its values where they are few."""

    comparisons: Mapping[str, Comparison]
    values: tuple[str, ...] = ()


def asked_of(columns: Columns) -> dict[str, Asked]:
    """What can be asked of the columns of a stored table, of each under the first of its names."""
    names = _names(columns).values()
    return {name: Asked(_comparisons(_TYPES[columns[name].kind], columns[name].kind)) for name in names}


def under_first_name(condition: Condition, columns: Columns) -> Condition:
    """The same condition as `asked_of` calls its column; raises InvalidRequest when there is no such column."""
    if condition.column not in columns:
        raise InvalidRequest("filter", f"there is no column {condition.column!r} here")
    return condition.model_copy(update={"column": _names(columns)[columns[condition.column]]})


def asked_by_rules(allowed: Mapping[str, Allowed]) -> dict[str, Asked]:
    """What the filter of a rule can ask."""
    return {name: Asked(_comparisons((each.type,)), each.values) for name, each in allowed.items()}


def comparison_of(condition: Condition) -> Comparison:
    """How a condition compares."""
    return Comparison(condition.type, condition.operator)


def _names(columns: Columns) -> dict[Column, str]:
    found: dict[Column, str] = {}
    for name, column in columns.items():
        found.setdefault(column, name)
    return found


def _comparisons(types: Sequence[str], kind: Kind | None = None) -> dict[str, Comparison]:
    found: dict[str, Comparison] = {}
    for type_ in types:
        for operator in _OPERATORS[type_]:
            # Only what has a text index is searched.
            if operator == "matches" and kind is Kind.TEXT:
                continue
            name = f"{operator} ({_TOLD_APART[type_]})" if operator in found else operator
            found[name] = Comparison(type_, operator)
    return found

"""The conditions of the contract's filters on texts and times, as terms of a statement."""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import InstrumentedAttribute

from heliograph.domain import filters
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Condition

Columns = Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]

_COMPARED: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "contains": lambda column, text: func.strpos(column, text) > 0,
    "does not contain": lambda column, text: func.strpos(column, text) == 0,
    "starts with": func.starts_with,
    "ends with": lambda column, text: func.right(column, func.length(text)) == text,
    "any of": lambda column, texts: column.in_(texts),
    "none of": lambda column, texts: column.not_in(texts),
    "is null": lambda column, _: column == "",
    "is not null": lambda column, _: column != "",
}
_ASKED = (
    filters.DatetimeCondition,
    filters.TextCondition,
    filters.TextOptionsCondition,
    filters.NullCondition,
)


def terms(columns: Columns, conditions: Sequence[Condition]) -> list[ColumnElement[bool]]:
    """One term for each condition; raises InvalidRequest for what cannot be asked of these columns."""
    return [_term(columns, condition) for condition in conditions]


def _term(columns: Columns, condition: Condition) -> ColumnElement[bool]:
    column = columns.get(condition.column)
    if column is None or not isinstance(condition, _ASKED) or condition.operator not in _COMPARED:
        raise InvalidRequest("filter", f"{condition.column} cannot be asked for {condition.type} here")
    value = None if isinstance(condition, filters.NullCondition) else condition.value
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return _COMPARED[condition.operator](column, value)

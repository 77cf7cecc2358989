"""Filters and orders of the domain as SQL: values are bound by the server, expressions come from the allow-lists."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import singledispatchmethod
from typing import Any

from heliograph.domain import filters
from heliograph.domain.errors import InvalidRequest
from storage.clickhouse.columns import Column, Columns, Kind

TIME_TYPE = "DateTime64(6, 'UTC')"
# What DateTime64 holds; a moment beyond is as good as its bound.
FIRST_MOMENT = datetime(1900, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(2299, 12, 31, 23, 59, 59, tzinfo=UTC)

# The tokenizer of the text indexes splits at ASCII characters that are neither letters nor digits.
_TOKEN = re.compile(r"[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]")

_TEXT = {
    "=": "{column} = {value}",
    "contains": "position({column}, {value}) > 0",
    "does not contain": "position({column}, {value}) = 0",
    "starts with": "startsWith({column}, {value})",
    "ends with": "endsWith({column}, {value})",
}
_LISTS = {
    "any of": "hasAny({column}, {value})",
    "none of": "NOT hasAny({column}, {value})",
    "all of": "hasAll({column}, {value})",
}
# Observations in the order in which they began; places from the end are negative.
_AT_POSITION = """
    (trace_id, id) IN (
        SELECT trace_id, arraySort(groupArray((start_time, id)))[{place}].2
        FROM observations FINAL WHERE project_id = {{project_id:String}} GROUP BY trace_id
    )
"""
_MEMBERSHIP = {"any of": "{column} IN {value}", "none of": "{column} NOT IN {value}"}


def moment(value: datetime) -> str:
    """A time as the server parses it; without a zone it is UTC."""
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return f"{min(max(aware, FIRST_MOMENT), LAST_MOMENT).astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def compile_order(order: filters.Order, allowed: Columns, *, unique: str) -> str:
    """ORDER BY terms; the unique column makes pages stable."""
    column = _allowed(order.column, allowed, "orderBy")
    direction = "DESC" if order.is_descending else "ASC"
    return f"{column.sql} {direction}, {unique} {direction}"


@dataclass
class Where:
    """A conjunction of conditions over the columns of one table."""

    columns: Columns
    parameters: dict[str, Any] = field(default_factory=dict)
    _terms: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, columns: Columns, conditions: Sequence[filters.Expression], **bound: Any) -> "Where":
        """All of the conditions, beside parameters that the statement itself binds.

        Raises:
            InvalidRequest: a column is unknown, or cannot be asked this.
        """
        where = cls(columns, dict(bound))
        where._terms += [where._term(condition) for condition in conditions]
        return where

    @property
    def sql(self) -> str:
        """The conditions, to follow one that the statement has already."""
        return "".join(f" AND ({term})" for term in self._terms)

    def also(self, term: str, **bound: Any) -> "Where":
        """The same with a condition of the statement's own."""
        return Where(self.columns, self.parameters | bound, [*self._terms, term])

    def _term(self, expression: filters.Expression) -> str:
        match expression:
            case filters.AllOf():
                return " AND ".join(f"({self._term(each)})" for each in expression.conditions)
            case filters.AnyOf():
                return " OR ".join(f"({self._term(each)})" for each in expression.conditions)
            case filters.NotOf():
                return f"NOT ({self._term(expression.condition)})"
            case _:
                column = _allowed(expression.column, self.columns, "filter")
                return column.within.format(condition=self._compiled(expression, column))

    def _bind(self, value: Any, type_: str) -> str:
        name = f"filter_{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{type_}}}"

    @singledispatchmethod
    def _compiled(self, condition: filters.Condition, column: Column) -> str:
        raise NotImplementedError(type(condition), column)

    @_compiled.register
    def _(self, condition: filters.DatetimeCondition, column: Column) -> str:
        _expect(condition, column, Kind.TIME)
        return f"{column.sql} {condition.operator} {self._bind(moment(condition.value), TIME_TYPE)}"

    @_compiled.register
    def _(self, condition: filters.NumberCondition, column: Column) -> str:
        _expect(condition, column, Kind.NUMBER)
        return f"{column.sql} {condition.operator} {self._bind(condition.value, 'Float64')}"

    @_compiled.register
    def _(self, condition: filters.BooleanCondition, column: Column) -> str:
        _expect(condition, column, Kind.BOOLEAN)
        return f"{column.sql} {condition.operator} {self._bind(condition.value, 'Bool')}"

    @_compiled.register
    def _(self, condition: filters.TextCondition, column: Column) -> str:
        if condition.operator == "matches":
            _expect(condition, column, Kind.PAYLOAD)
            return self._match(column.sql, condition.value)
        _expect(condition, column, Kind.TEXT, Kind.PAYLOAD)
        return _TEXT[condition.operator].format(column=column.sql, value=self._bind(condition.value, "String"))

    @_compiled.register
    def _(self, condition: filters.TextOptionsCondition, column: Column) -> str:
        _expect(condition, column, Kind.TEXT, Kind.TEXTS)
        form = _LISTS if column.kind is Kind.TEXTS else _MEMBERSHIP
        return form[condition.operator].format(column=column.sql, value=self._bind(condition.value, "Array(String)"))

    @_compiled.register
    def _(self, condition: filters.ArrayOptionsCondition, column: Column) -> str:
        _expect(condition, column, Kind.TEXTS)
        return _LISTS[condition.operator].format(column=column.sql, value=self._bind(condition.value, "Array(String)"))

    @_compiled.register
    def _(self, condition: filters.CategoryOptionsCondition, column: Column) -> str:
        _expect(condition, column, Kind.JSON_MAP, Kind.TEXT_MAP)
        has, value = self._entry(column, condition.key)
        options = self._bind(condition.value, "Array(String)")
        # None of the options is also true of what has no such entry.
        return f"{has} AND {value} IN {options}" if condition.operator == "any of" else f"{value} NOT IN {options}"

    @_compiled.register
    def _(self, condition: filters.TextObjectCondition, column: Column) -> str:
        _expect(condition, column, Kind.JSON_MAP, Kind.TEXT_MAP)
        has, value = self._entry(column, condition.key)
        match condition.operator:
            case "is set":
                return has
            case "is not set":
                return f"NOT {has}"
            case "does not contain":
                return f"position({value}, {self._bind(condition.value, 'String')}) = 0"
            case "matches":
                operator = "contains"
            case _:
                operator = condition.operator
        compared = _TEXT[operator].format(column=value, value=self._bind(condition.value, "String"))
        return f"{has} AND {compared}"

    @_compiled.register
    def _(self, condition: filters.NumberObjectCondition, column: Column) -> str:
        _expect(condition, column, Kind.JSON_MAP, Kind.NUMBER_MAP)
        has, value = self._entry(column, condition.key)
        number = value if column.kind is Kind.NUMBER_MAP else f"toFloat64OrNull({value})"
        return f"{has} AND {number} {condition.operator} {self._bind(condition.value, 'Float64')}"

    @_compiled.register
    def _(self, condition: filters.BooleanObjectCondition, column: Column) -> str:
        _expect(condition, column, Kind.JSON_MAP)
        has, value = self._entry(column, condition.key)
        return f"{has} AND {value} {condition.operator} {self._bind(str(condition.value).lower(), 'String')}"

    @_compiled.register
    def _(self, condition: filters.PositionCondition, column: Column) -> str:
        _expect(condition, column, Kind.POSITION)
        if condition.key == "root":
            return "parent_observation_id = '' OR is_app_root"
        return _AT_POSITION.format(place=self._bind(condition.place, "Int32"))

    @_compiled.register
    def _(self, condition: filters.NullCondition, column: Column) -> str:
        if column.kind is Kind.POSITION:
            _expect(condition, column)
        match column.kind:
            case Kind.TEXT | Kind.PAYLOAD | Kind.TEXTS | Kind.JSON_MAP | Kind.NUMBER_MAP | Kind.TEXT_MAP:
                absent = f"empty({column.sql})"
            case _:
                absent = f"isNull({column.sql})"
        return absent if condition.operator == "is null" else f"NOT {absent}"

    def _match(self, column: str, value: str) -> str:
        """Literal search without case; the text index first leaves only rows that hold all of its whole words."""
        bound = self._bind(value, "String")
        literal = f"positionCaseInsensitiveUTF8({column}, {bound}) > 0"
        return f"hasAllTokens({column}, {bound}) AND {literal}" if _TOKEN.search(value) else literal

    def _entry(self, column: Column, key: str) -> tuple[str, str]:
        """Whether a map has an entry, and its text; JSON strings are compared by what they say."""
        bound = self._bind(key, "String")
        raw = f"{column.sql}[{bound}]"
        if column.kind is not Kind.JSON_MAP:
            return f"mapContains({column.sql}, {bound})", raw
        return f"mapContains({column.sql}, {bound})", said(raw)


def said(raw: str) -> str:
    """The text of an entry of a map of JSON values: strings are what they say, everything else is as it is written."""
    return f"if(startsWith({raw}, '\"') AND isValidJSON({raw}), JSONExtractString({raw}), {raw})"


def _allowed(name: str, columns: Columns, parameter: str) -> Column:
    if name not in columns:
        raise InvalidRequest(parameter, f"there is no column {name!r} here; there are {', '.join(sorted(columns))}")
    return columns[name]


def _expect(condition: filters.Condition, column: Column, *kinds: Kind) -> None:
    if column.kind not in kinds:
        asked = f"{condition.type!r} with operator {condition.operator!r}"
        raise InvalidRequest("filter", f"column {condition.column!r} is {column.kind.value}: {asked} cannot be asked")


def narrowed(columns: Columns, *names: str) -> Mapping[str, Column]:
    """The columns of these names."""
    return {name: columns[name] for name in names}

"""Columns and the conditions that are written with them."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from heliograph.domain import filters
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Expression

# The contract's names of columns that have a shorter one here.
_NAMES = {
    "cost": "totalCost",
    "scores": "scores_avg",
    "score_values": "scores_avg",
    "score_labels": "score_categories",
}


class Where:
    """A condition on rows. Join conditions by `&`, `|` and `~`, each in parentheses.

    Example:
        >>> (col.model == "gpt-4o") & ((col.cost > 0.01) | ~(col.level == "DEFAULT"))
    """

    def __init__(self, expression: Expression) -> None:
        self.expression = expression

    def __and__(self, other: "Where") -> "Where":
        return Where(filters.AllOf(conditions=(*self._parts(filters.AllOf), *other._parts(filters.AllOf))))

    def __or__(self, other: "Where") -> "Where":
        return Where(filters.AnyOf(conditions=(*self._parts(filters.AnyOf), *other._parts(filters.AnyOf))))

    def __invert__(self) -> "Where":
        return Where(filters.NotOf(condition=self.expression))

    def __bool__(self) -> bool:
        raise TypeError("join conditions by & and |, each in parentheses: `and`, `or` and chains ask too early")

    def __repr__(self) -> str:
        return f"Where({self.expression.model_dump_json()})"

    def _parts(self, group: type[filters.AllOf] | type[filters.AnyOf]) -> tuple[Expression, ...]:
        return self.expression.conditions if isinstance(self.expression, group) else (self.expression,)


class Column:
    """A column, to be compared with a value: text, number, truth value or time.

    `column["key"]` is an entry of a map: of `metadata`, or of the scores of a trace (`col.scores["quality"]`).

    Example:
        >>> col.start_time >= datetime(2026, 1, 1, tzinfo=UTC)
        >>> col.metadata["customer"] == "acme"
    """

    __hash__ = None  # type: ignore[assignment]  # it compares by making conditions

    def __init__(self, name: str, key: str | None = None) -> None:
        self._name = _NAMES.get(name) or _camel(name)
        self._key = key

    def __getitem__(self, key: str) -> "Column":
        column = Column(self._name, key)
        column._name = self._name
        return column

    def __eq__(self, value: object) -> Where:  # type: ignore[override]
        if value is None:
            return self.is_null()
        return self._compared("=", value)

    def __ne__(self, value: object) -> Where:  # type: ignore[override]
        return ~(self == value)

    def __gt__(self, value: object) -> Where:
        return self._compared(">", value)

    def __ge__(self, value: object) -> Where:
        return self._compared(">=", value)

    def __lt__(self, value: object) -> Where:
        return self._compared("<", value)

    def __le__(self, value: object) -> Where:
        return self._compared("<=", value)

    def is_in(self, values: Iterable[str]) -> Where:
        """The text is one of these, at most 1,000; of a list of texts, one of them is among these."""
        return self._made(type="categoryOptions" if self._key else "stringOptions", operator="any of", value=[*values])

    def has_all(self, values: Iterable[str]) -> Where:
        """The list of texts, as `tags`, holds every one of these."""
        return self._made(type="arrayOptions", operator="all of", value=[*values])

    def contains(self, text: str) -> Where:
        """The text holds this one, with its upper and lower case."""
        return self._made(type=self._text_type, operator="contains", value=text)

    def starts_with(self, text: str) -> Where:
        """The text begins with this one."""
        return self._made(type=self._text_type, operator="starts with", value=text)

    def ends_with(self, text: str) -> Where:
        """The text ends with this one."""
        return self._made(type=self._text_type, operator="ends with", value=text)

    def matches(self, text: str) -> Where:
        """Full-text search in `input` or `output`, without regard to case; it uses an index."""
        return self._made(type=self._text_type, operator="matches", value=text)

    def is_null(self) -> Where:
        """There is no value, or an empty text."""
        if self._key is not None:
            return self._made(type="stringObject", operator="is not set")
        return self._made(type="null", operator="is null")

    def is_not_null(self) -> Where:
        """There is a value."""
        return ~self.is_null()

    def __repr__(self) -> str:
        return f"col.{self._name}" + (f"[{self._key!r}]" if self._key is not None else "")

    @property
    def _text_type(self) -> str:
        return "string" if self._key is None else "stringObject"

    def _compared(self, operator: str, value: object) -> Where:
        match value:
            case bool():
                kind: str = "boolean" if self._key is None else "booleanObject"
                return self._made(type=kind, operator=operator, value=value)
            case int() | float():
                kind = "number" if self._key is None else "numberObject"
                return self._made(type=kind, operator=operator, value=value)
            case str():
                return self._made(type=self._text_type, operator=operator, value=value)
            case datetime():
                return self._at(operator, value if value.tzinfo else value.replace(tzinfo=UTC))
            case _:
                reason = f"cannot be compared with {type(value).__name__}: use text, number, truth value or datetime"
                raise InvalidRequest(repr(self), reason)

    def _at(self, operator: str, value: datetime) -> Where:
        if operator == "=":
            return self._at(">=", value) & self._at("<=", value)
        return self._made(type="datetime", operator=operator, value=value)

    def _made(self, **parts: Any) -> Where:
        keyed = parts if self._key is None else parts | {"key": self._key}
        try:
            return Where(filters.expression_from({"column": self._name, **keyed}))
        except ValueError as error:
            reason = f"{parts['operator']!r} cannot be asked with {parts.get('value')!r}"
            raise InvalidRequest(repr(self), reason) from error


class Columns:
    """Every column by its name: `col.model`, or `col["model"]`."""

    def __getattr__(self, name: str) -> Column:
        if name.startswith("_"):
            raise AttributeError(name)
        return Column(name)

    def __getitem__(self, name: str) -> Column:
        return Column(name)


col = Columns()


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)

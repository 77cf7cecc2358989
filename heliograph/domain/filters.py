"""What a list is narrowed to: the contract's filter language, and the order and page of a list."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from heliograph.domain.errors import InvalidRequest

TextOperator = Literal["=", "contains", "does not contain", "starts with", "ends with", "matches"]
NumberOperator = Literal["=", "!=", ">", "<", ">=", "<="]
MembershipOperator = Literal["any of", "none of"]
# A URL has room for no more, and ClickHouse takes 128 kB for one parameter, in which escaping doubles a text at worst.
MAX_BYTES = 20_000
MAX_CONDITIONS = 100
_MAX_VALUES = 1_000
_Values = Annotated[list[str], Field(min_length=1, max_length=_MAX_VALUES)]


class _Condition(BaseModel):
    model_config = ConfigDict(frozen=True)

    column: str


class DatetimeCondition(_Condition):
    """A moment before or after another; one without a zone is UTC."""

    type: Literal["datetime"]
    operator: Literal[">", "<", ">=", "<="]
    value: datetime


class TextCondition(_Condition):
    """A text, compared with upper and lower case; `matches` is full-text search."""

    type: Literal["string"]
    operator: TextOperator
    value: str


class TextOptionsCondition(_Condition):
    """A text that is one of several, or none of them."""

    type: Literal["stringOptions"]
    operator: MembershipOperator
    value: _Values


class CategoryOptionsCondition(_Condition):
    """A value of a map, by its key, that is one of several, or none of them."""

    type: Literal["categoryOptions"]
    key: str
    operator: MembershipOperator
    value: _Values


class ArrayOptionsCondition(_Condition):
    """A list that holds any, none or all of several texts."""

    type: Literal["arrayOptions"]
    operator: Literal["any of", "none of", "all of"]
    value: _Values


class NumberCondition(_Condition):
    """A number compared with another."""

    type: Literal["number"]
    operator: NumberOperator
    value: float


class TextObjectCondition(_Condition):
    """A text in a map, by its key."""

    type: Literal["stringObject"]
    key: str
    operator: TextOperator | Literal["is set", "is not set"]
    value: str = ""


class NumberObjectCondition(_Condition):
    """A number in a map, by its key."""

    type: Literal["numberObject"]
    key: str
    operator: NumberOperator
    value: float


class BooleanObjectCondition(_Condition):
    """A truth value in a map, by its key."""

    type: Literal["booleanObject"]
    key: str
    operator: Literal["=", "<>"]
    value: bool


class BooleanCondition(_Condition):
    """A truth value."""

    type: Literal["boolean"]
    operator: Literal["=", "<>"]
    value: bool


class PositionCondition(_Condition):
    """Where an observation stands in its trace, in the order in which they began; the first is 1 from either end."""

    type: Literal["positionInTrace"]
    key: Literal["root", "first", "last", "nthFromStart", "nthFromEnd"]
    operator: Literal["="] = "="
    value: Annotated[int, Field(ge=1, le=1_000_000)] = 1

    @property
    def place(self) -> int:
        """The place; negative from the end."""
        match self.key:
            case "last":
                return -1
            case "nthFromStart":
                return self.value
            case "nthFromEnd":
                return -self.value
            case _:
                return 1


class NullCondition(_Condition):
    """Whether something is absent."""

    type: Literal["null"]
    operator: Literal["is null", "is not null"]


Condition = Annotated[
    DatetimeCondition
    | TextCondition
    | TextOptionsCondition
    | CategoryOptionsCondition
    | ArrayOptionsCondition
    | NumberCondition
    | TextObjectCondition
    | NumberObjectCondition
    | BooleanObjectCondition
    | BooleanCondition
    | PositionCondition
    | NullCondition,
    Field(discriminator="type"),
]


class AllOf(BaseModel):
    """Every one of these holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["and"] = "and"
    conditions: Annotated[tuple["Expression", ...], Field(min_length=1, max_length=MAX_CONDITIONS)]


class AnyOf(BaseModel):
    """One of these holds at least."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["or"] = "or"
    conditions: Annotated[tuple["Expression", ...], Field(min_length=1, max_length=MAX_CONDITIONS)]


class NotOf(BaseModel):
    """This does not hold; what compares with an absent value is neither true nor false, as in SQL."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["not"] = "not"
    condition: "Expression"


# The conditions of the contract, which a list joins by "and", and what joins them otherwise.
Expression = Annotated[Condition | AllOf | AnyOf | NotOf, Field(discriminator="type")]
for _group in (AllOf, AnyOf, NotOf):
    _group.model_rebuild()


def leaves(expression: Expression) -> Iterator[Condition]:
    """The conditions that an expression is made of."""
    match expression:
        case AllOf() | AnyOf():
            for each in expression.conditions:
                yield from leaves(each)
        case NotOf():
            yield from leaves(expression.condition)
        case _:
            yield expression


_CONDITIONS: TypeAdapter[tuple[Condition, ...]] = TypeAdapter(
    Annotated[tuple[Condition, ...], Field(max_length=MAX_CONDITIONS)]
)


def conditions_from(text: str) -> tuple[Condition, ...]:
    """The conditions of a JSON array, all of which must hold; raises pydantic's ValidationError."""
    return _CONDITIONS.validate_json(text)


_EXPRESSION: TypeAdapter[Expression] = TypeAdapter(Expression)


def expression_from(parts: Mapping[str, object]) -> Expression:
    """An expression of plain values; raises pydantic's ValidationError."""
    return _EXPRESSION.validate_python(parts)


def equals(column: str, value: str) -> TextCondition:
    """The text of a column is this one."""
    return TextCondition(type="string", column=column, operator="=", value=value)


def one_of(column: str, values: list[str]) -> TextOptionsCondition:
    """The text of a column is one of these; raises InvalidRequest if they are too many."""
    return TextOptionsCondition(type="stringOptions", column=column, operator="any of", value=_few(column, values))


def present(column: str) -> NullCondition:
    """The column has something."""
    return NullCondition(type="null", column=column, operator="is not null")


def number(column: str, operator: NumberOperator, value: float) -> NumberCondition:
    """The number of a column compares so with this one."""
    return NumberCondition(type="number", column=column, operator=operator, value=value)


def holds_all(column: str, values: list[str]) -> ArrayOptionsCondition:
    """The list of a column holds all of these; raises InvalidRequest if they are too many."""
    return ArrayOptionsCondition(type="arrayOptions", column=column, operator="all of", value=_few(column, values))


def _few(column: str, values: list[str]) -> list[str]:
    if len(values) > _MAX_VALUES:
        raise InvalidRequest(column, f"has more than {_MAX_VALUES} values: ask for less at once")
    return values


def since(column: str, moment: datetime) -> DatetimeCondition:
    """The time of a column is not before this moment."""
    return DatetimeCondition(type="datetime", column=column, operator=">=", value=moment)


def before(column: str, moment: datetime) -> DatetimeCondition:
    """The time of a column is before this moment."""
    return DatetimeCondition(type="datetime", column=column, operator="<", value=moment)


def is_true(column: str, value: bool) -> BooleanCondition:  # noqa: FBT001 - it is the value compared with
    """The truth value of a column is this one."""
    return BooleanCondition(type="boolean", column=column, operator="=", value=value)


@dataclass(frozen=True)
class Order:
    """What a list is sorted by."""

    column: str
    is_descending: bool = True


@dataclass(frozen=True)
class Page:
    """One page of a list; the first is 1."""

    number: int = 1
    size: int = 50

    @property
    def offset(self) -> int:
        """How many rows lie before it."""
        return (self.number - 1) * self.size


class Creation(NamedTuple):
    """Where a thing stands in a list of the newest first, whatever is created meanwhile."""

    at: datetime
    id: str

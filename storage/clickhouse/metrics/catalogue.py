"""What a view of the metrics consists of: dimensions, measures, and the joins that some of them need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from storage.clickhouse.columns import Column, Kind


class Amount(Enum):
    """What the values of a measure are."""

    NUMBER = "numbers"
    MONEY = "amounts of money"
    TEXT = "texts"


@dataclass(frozen=True)
class Dimension:
    """An expression to group by, and to filter by.

    Args:
        column: the expression.
        joins: what the statement must join for it, by the view's names.
        expansion: what splits a row into several, by the view's name.
        has_many_values: most rows have a value of their own, or nearly so.
        asked: what a filter compares, if that is not the expression.
    """

    column: Column
    joins: tuple[str, ...] = ()
    expansion: str = ""
    has_many_values: bool = False
    asked: Column | None = None


@dataclass(frozen=True)
class Measure:
    """An expression whose values are aggregated.

    Args:
        sql: the expression of one row; null where the row has none.
        amount: what its values are.
        joins: what the statement must join for it.
        expansion: what splits a row into several.
        distinct: what `uniq` counts, if that is not the expression.
    """

    sql: str
    amount: Amount = Amount.NUMBER
    joins: tuple[str, ...] = ()
    expansion: str = ""
    distinct: str = ""


@dataclass(frozen=True)
class Expansion:
    """An ARRAY JOIN. Where only some measures make sense beside it, they are named."""

    sql: str
    measures: frozenset[str] = frozenset()


@dataclass(frozen=True)
class View:
    """A table, which of its rows, and what can be asked of them.

    Args:
        table: the table, which is read FINAL.
        time: the column that the period narrows, and that steps of time group.
        dimensions: what rows are grouped by.
        measures: what is aggregated.
        condition: which rows; all of them if empty.
        joins: the JOIN clauses, by name.
        expansions: the ARRAY JOIN clauses, by name.
        filters: what can be filtered by beside the dimensions.
    """

    table: str
    time: str
    dimensions: Mapping[str, Dimension]
    measures: Mapping[str, Measure]
    condition: str = ""
    joins: Mapping[str, str] = field(default_factory=dict)
    expansions: Mapping[str, Expansion] = field(default_factory=dict)
    filters: Mapping[str, Column] = field(default_factory=dict)


def text(sql: str, *joins: str, has_many_values: bool = False) -> Dimension:
    """A dimension of texts."""
    return Dimension(Column(sql, Kind.TEXT), joins, has_many_values=has_many_values)


COUNT = Measure("toUInt64(1)")
# A count of rows of texts: `uniq` counts the texts, `sum` the rows that have one.
DISTINCT = "toUInt64({column} != '')"


def distinct(column: str, *joins: str) -> Measure:
    """How many different texts there are."""
    return Measure(DISTINCT.format(column=column), joins=joins, distinct=f"nullIf({column}, '')")


def month(column: str) -> Dimension:
    """The month of a time."""
    return text(f"formatDateTime({column}, '%Y-%m')")


def day(column: str) -> Dimension:
    """The day of a time."""
    return text(f"formatDateTime({column}, '%Y-%m-%d')")

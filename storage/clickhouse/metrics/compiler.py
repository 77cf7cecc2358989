"""Metrics queries as SQL: every expression comes from the catalogue, every value is bound by the server."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any, TypeVar

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.metrics import (
    MAX_STEPS,
    TIME_DIMENSION,
    Aggregation,
    Granularity,
    Metric,
    MetricsQuery,
    Ordering,
    step_count,
)
from storage.clickhouse.clauses import Where, moment
from storage.clickhouse.columns import Column
from storage.clickhouse.metrics.catalogue import Amount, Dimension, Measure
from storage.clickhouse.metrics.views import Generation

# Where an answer has no limit of its own; whoever wants more is told to narrow.
UNLIMITED_ROWS = 20_000
# A group takes some hundred bytes, with percentiles some ten thousand: beyond, the server refuses.
_MAX_GROUPS = 500_000
_MAX_GROUPS_WITH_STATES = 50_000

_STATEMENT = Template("""
    SELECT $columns FROM $table FINAL $joins $expansion
    WHERE project_id = {project_id:String}
        AND $time >= {after:DateTime64(6, 'UTC')} AND $time < {before:DateTime64(6, 'UTC')} $condition $where
    $grouped ORDER BY $order LIMIT {limit:UInt32}
    SETTINGS max_rows_to_group_by = $groups, group_by_overflow_mode = 'throw'
""")

_STEPS = {
    Granularity.MINUTE: "toStartOfMinute({time}, 'UTC')",
    Granularity.HOUR: "toStartOfHour({time}, 'UTC')",
    Granularity.DAY: "toStartOfDay({time}, 'UTC')",
    Granularity.WEEK: "toMonday({time}, 'UTC')",
    Granularity.MONTH: "toStartOfMonth({time}, 'UTC')",
}
_FORMS = {
    Aggregation.SUM: "sum({value})",
    Aggregation.AVG: "avg({number})",
    Aggregation.COUNT: "count({value})",
    Aggregation.MAX: "max({number})",
    Aggregation.MIN: "min({number})",
    Aggregation.P50: "quantile(0.5)({number})",
    Aggregation.P75: "quantile(0.75)({number})",
    Aggregation.P90: "quantile(0.9)({number})",
    Aggregation.P95: "quantile(0.95)({number})",
    Aggregation.P99: "quantile(0.99)({number})",
    Aggregation.HISTOGRAM: "histogram({bins})(toFloat64({number}))",
    Aggregation.UNIQ: "uniq({distinct})",
}
_OF_TEXTS = {Aggregation.COUNT, Aggregation.UNIQ}
_SMALL_STATES = {Aggregation.SUM, Aggregation.AVG, Aggregation.COUNT, Aggregation.MAX, Aggregation.MIN}

_Known = TypeVar("_Known")


@dataclass(frozen=True)
class Statement:
    """SQL, what it binds, and the names of its columns in the answer."""

    sql: str
    parameters: dict[str, Any]
    columns: tuple[str, ...]
    limit: int


def compile_query(query: MetricsQuery, generation: Generation, project_id: str) -> Statement:
    """The statement of a query.

    Raises:
        InvalidRequest: the generation has no such view, dimension, measure or column, or cannot combine them.
    """
    if query.view not in generation.views:
        known = ", ".join(generation.views)
        raise InvalidRequest("view", f"there is no view {str(query.view)!r} in this version; there are {known}")
    return _Compiler(query, generation).statement(project_id)


class _Compiler:
    def __init__(self, query: MetricsQuery, generation: Generation) -> None:
        self._query = query
        self._generation = generation
        self._view = generation.views[query.view]
        self._dimensions = {name: _known(name, self._view.dimensions, "dimensions") for name in query.fields}
        self._measures = {
            name: _known(metric.measure, self._view.measures, "metrics") for name, metric in query.figures.items()
        }
        self._filtered = [
            self._view.dimensions[each.column] for each in query.filters if each.column in self._view.dimensions
        ]

    def statement(self, project_id: str) -> Statement:
        self._refuse_what_is_too_heavy()
        columns = self._columns()
        limit = self._query.options.row_limit or self._generation.default_rows or UNLIMITED_ROWS + 1
        period = (self._query.from_timestamp, self._query.to_timestamp)
        bound = {"project_id": project_id, "after": moment(period[0]), "before": moment(period[1]), "limit": limit}
        where = Where.of(self._filters(), self._query.filters, **bound)
        aliases = {name: f"c{place}" for place, name in enumerate(columns)}
        groups = [aliases[name] for name in columns if name not in self._measures]
        sql = _STATEMENT.substitute(
            columns=", ".join(f"{sql} AS {aliases[name]}" for name, sql in columns.items()),
            table=self._view.table,
            joins=" ".join(self._view.joins[name] for name in self._joins()),
            expansion=self._expansion(),
            time=self._view.time,
            condition=f"AND {self._view.condition}" if self._view.condition else "",
            where=where.sql,
            grouped=f"GROUP BY {', '.join(groups)}" if groups else "",
            order=self._order(aliases, groups),
            groups=_MAX_GROUPS if self._has_small_states() else _MAX_GROUPS_WITH_STATES,
        )
        return Statement(sql, where.parameters, tuple(columns), limit)

    def _columns(self) -> dict[str, str]:
        granularity = self._query.granularity
        columns = {}
        if granularity is not None:
            # Dates have no type of their own in every version of the format of answers.
            step = _STEPS[granularity].format(time=self._view.time)
            columns[TIME_DIMENSION] = f"toDateTime64({step}, 0, 'UTC')"
        columns |= {name: dimension.column.sql for name, dimension in self._dimensions.items()}
        bins = self._query.options.bins
        return columns | {
            name: _aggregate(metric, self._measures[name], bins) for name, metric in self._query.figures.items()
        }

    def _filters(self) -> dict[str, Column]:
        asked = {name: dimension.asked or dimension.column for name, dimension in self._view.dimensions.items()}
        return asked | dict(self._view.filters)

    def _joins(self) -> list[str]:
        users: list[Dimension | Measure] = [*self._dimensions.values(), *self._measures.values(), *self._filtered]
        return list(dict.fromkeys(name for user in users for name in user.joins))

    def _expansion(self) -> str:
        users: list[Dimension | Measure] = [*self._dimensions.values(), *self._measures.values()]
        users += [each for each in self._filtered if each.asked is None]
        names = {user.expansion for user in users} - {""}
        if not names:
            return ""
        if len(names) > 1:
            raise InvalidRequest("dimensions", f"{' and '.join(sorted(names))} cannot be split in one query: ask twice")
        expansion = self._view.expansions[names.pop()]
        asked = {metric.measure for metric in self._query.metrics}
        if expansion.measures and not asked <= expansion.measures:
            allowed = " and ".join(sorted(expansion.measures))
            reason = f"beside a type of cost or usage there are {allowed} only: others would be counted once for each"
            raise InvalidRequest("metrics", reason)
        return expansion.sql

    def _order(self, aliases: dict[str, str], groups: Sequence[str]) -> str:
        asked = list(self._query.order_by or self._default_order())
        terms = []
        for each in asked:
            if each.field not in aliases:
                raise InvalidRequest("orderBy", f"{each.field!r} is not in the answer; there are {', '.join(aliases)}")
            metric = self._query.figures.get(each.field)
            if metric is not None and metric.aggregation is Aggregation.HISTOGRAM:
                raise InvalidRequest("orderBy", "a histogram has no order")
            terms.append(f"{aliases[each.field]} {each.direction.upper()}")
        # Groups make the order whole, so that a limit cuts the same rows each time.
        return ", ".join([*terms, *groups]) or "1"

    def _default_order(self) -> Iterable[Ordering]:
        if self._query.granularity is not None:
            return [Ordering(field=TIME_DIMENSION, direction="asc")]
        figures = (name for name, metric in self._query.figures.items() if metric.aggregation not in _UNORDERED)
        first = next(figures, None)
        return [] if first is None else [Ordering(field=first, direction="desc")]

    def _has_small_states(self) -> bool:
        return all(metric.aggregation in _SMALL_STATES for metric in self._query.metrics)

    def _refuse_what_is_too_heavy(self) -> None:
        query, granularity = self._query, self._query.granularity
        if granularity is not None:
            asked = step_count(granularity, query.from_timestamp, query.to_timestamp)
            if asked > MAX_STEPS:
                reason = f"this period has about {asked} steps of a {granularity}: choose longer steps, or less time"
                raise InvalidRequest("timeDimension", reason)
        many = [name for name, dimension in self._dimensions.items() if dimension.has_many_values]
        if not many or not self._generation.guards_many_values:
            return
        if granularity is not None:
            raise InvalidRequest("timeDimension", f"{many[0]} has too many values to be followed over time: filter it")
        ordered = {each.field for each in query.order_by or () if each.direction == "desc"} & query.figures.keys()
        if query.options.row_limit is None or not ordered:
            reason = f"{many[0]} has many values: set config.row_limit, and an orderBy of a metric, descending"
            raise InvalidRequest("dimensions", reason)


_UNORDERED = {Aggregation.HISTOGRAM}


def _known(name: str, catalogue: Mapping[str, _Known], parameter: str) -> _Known:
    if name not in catalogue:
        raise InvalidRequest(parameter, f"there is no {name!r} in this view; there are {', '.join(catalogue)}")
    return catalogue[name]


def _aggregate(metric: Metric, measure: Measure, bins: int) -> str:
    if measure.amount is Amount.TEXT and metric.aggregation not in _OF_TEXTS:
        raise InvalidRequest("metrics", f"{metric.measure} has texts: they can be counted by count and uniq only")
    number = f"toFloat64({measure.sql})" if measure.amount is Amount.MONEY else measure.sql
    distinct = measure.distinct or measure.sql
    return _FORMS[metric.aggregation].format(value=measure.sql, number=number, distinct=distinct, bins=bins)

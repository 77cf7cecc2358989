"""Widgets of dashboards: one question in the language of metrics, and how its answer is drawn."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from heliograph.domain.filters import MAX_CONDITIONS, Condition
from heliograph.domain.metrics import (
    MAX_BINS,
    MAX_ROWS,
    Aggregation,
    Dimension,
    Granularity,
    Metric,
    MetricsQuery,
    Options,
    Ordering,
    TimeDimension,
    ViewName,
)
from heliograph.domain.validation import requested

MAX_NAME = 200
MAX_DESCRIPTION = 2_000
# Groups of an answer that is drawn and does not say how many it wants.
DEFAULT_ROWS = 100
_MAX_METRICS = 10


class ChartType(StrEnum):
    """How a widget is drawn."""

    LINE = "LINE_TIME_SERIES"
    AREA = "AREA_TIME_SERIES"
    BARS_OVER_TIME = "BAR_TIME_SERIES"
    HORIZONTAL_BAR = "HORIZONTAL_BAR"
    VERTICAL_BAR = "VERTICAL_BAR"
    PIE = "PIE"
    NUMBER = "NUMBER"
    HISTOGRAM = "HISTOGRAM"
    PIVOT_TABLE = "PIVOT_TABLE"
    TABLE = "TABLE"

    @property
    def is_over_time(self) -> bool:
        """Whether its horizontal axis is time."""
        return self in {ChartType.LINE, ChartType.AREA, ChartType.BARS_OVER_TIME}

    @property
    def is_tabular(self) -> bool:
        """Whether it has any number of figures, in columns."""
        return self in {ChartType.PIVOT_TABLE, ChartType.TABLE}

    @property
    def most_dimensions(self) -> int:
        """By how many dimensions it can group."""
        match self:
            case ChartType.NUMBER | ChartType.HISTOGRAM:
                return 0
            case ChartType.PIVOT_TABLE:
                return 2
            case ChartType.TABLE:
                return 5
            case _:
                return 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class ChartSort(_Part):
    """The column of the answer by which a table is sorted."""

    column: Annotated[str, Field(min_length=1, max_length=200)]
    order: Literal["ASC", "DESC"]


class ChartConfig(_Part):
    """What a chart can be told; what is not told here has its default."""

    row_limit: Annotated[int, Field(ge=1, le=MAX_ROWS)] | None = None
    bins: Annotated[int, Field(ge=1, le=MAX_BINS)] | None = None
    default_sort: ChartSort | None = Field(default=None, alias="defaultSort")

    model_config = ConfigDict(frozen=True, validate_by_name=True, validate_by_alias=True)


class WidgetDefinition(_Part):
    """A widget without an id: what is asked, and how it is drawn."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION)] = ""
    view: ViewName
    dimensions: tuple[Dimension, ...] = ()
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1, max_length=_MAX_METRICS)]
    filters: Annotated[tuple[Condition, ...], Field(max_length=MAX_CONDITIONS)] = ()
    chart_type: ChartType
    chart_config: ChartConfig = ChartConfig()

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        chart, most = self.chart_type, self.chart_type.most_dimensions
        if len(self.dimensions) > most:
            raise ValueError(f"{chart} groups by {most} dimensions at most")
        if chart is ChartType.PIVOT_TABLE and not self.dimensions:
            raise ValueError("PIVOT_TABLE groups by one dimension at least")
        takes_many = chart.is_tabular or (chart.is_over_time and not self.dimensions)
        if len(self.metrics) > 1 and not takes_many:
            raise ValueError(f"{chart} shows one metric")
        if len(self.metrics) > 1 and chart is ChartType.PIVOT_TABLE and len(self.dimensions) > 1:
            raise ValueError("PIVOT_TABLE of two dimensions shows one metric")
        for metric in self.metrics:
            if (metric.aggregation is Aggregation.HISTOGRAM) is not (chart is ChartType.HISTOGRAM):
                raise ValueError("the aggregation histogram and the chart HISTOGRAM belong together")
        return self

    def query(self, after: datetime, before: datetime, conditions: Iterable[Condition] = ()) -> MetricsQuery:
        """The question for a period, narrowed further by these conditions; raises ValueError when they are too many."""
        chart = self.chart_type
        is_grouped = bool(self.dimensions) and not chart.is_over_time
        rows = self.chart_config.row_limit or DEFAULT_ROWS
        return MetricsQuery(
            view=self.view,
            dimensions=self.dimensions,
            metrics=self.metrics,
            filters=(*self.filters, *conditions),
            time_dimension=TimeDimension(granularity=Granularity.AUTO) if chart.is_over_time else None,
            from_timestamp=after,
            to_timestamp=before,
            order_by=self._order() if is_grouped else None,
            config=Options(row_limit=rows if is_grouped else None, **self._bins()),
        )

    def _order(self) -> tuple[Ordering, ...]:
        largest = Ordering(field=self.metrics[0].column, direction="desc")
        sort = self.chart_config.default_sort
        if sort is None:
            return (largest,)
        asked = Ordering(field=sort.column, direction="asc" if sort.order == "ASC" else "desc")
        return (asked,) if asked.field == largest.field else (asked, largest)

    def _bins(self) -> dict[str, int]:
        return {"bins": self.chart_config.bins} if self.chart_config.bins else {}


def defined(**parts: Any) -> WidgetDefinition:
    """The widget of these parts; raises InvalidRequest when it cannot be drawn."""
    with requested("chartType"):
        return WidgetDefinition(**parts)

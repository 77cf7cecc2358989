"""Widgets of dashboards as the API shows and takes them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field

from heliograph.domain.dashboards import Widget
from heliograph.domain.metrics import Aggregation, Dimension, Metric, ViewName
from heliograph.domain.widgets import ChartConfig, ChartType, WidgetDefinition, defined
from serve_apps.api.shapes.dashboards import Changes, Description, Filters, Id, Name
from serve_apps.api.shapes.values import ConditionShape, Instant, JsonShape, iso


class MetricBody(Changes):
    """A figure of a widget."""

    measure: Id
    agg: Aggregation


class WidgetChanges(Changes):
    """What is to be changed of a widget."""

    name: Name = ""
    description: Description = ""
    view: ViewName = ViewName.OBSERVATIONS
    dimensions: list[Dimension] = Field(default_factory=list)
    metrics: list[MetricBody] = Field(default_factory=list)
    filters: Filters = Field(default_factory=list)
    chart_type: ChartType = ChartType.NUMBER
    # What a chart does not know of its configuration is ignored: it says how other clients draw it.
    chart_config: ChartConfig = ChartConfig()

    def changed(self, before: WidgetDefinition) -> WidgetDefinition:
        """The widget with these values in place of its own; raises InvalidRequest."""
        return defined(**{name: getattr(before, name) for name in WidgetDefinition.model_fields} | self._values())

    def _values(self) -> dict[str, Any]:
        given = self.given()
        if "metrics" in given:
            given["metrics"] = [Metric(measure=each.measure, aggregation=each.agg) for each in given["metrics"]]
        return given


class WidgetBody(WidgetChanges):
    """A widget to be created."""

    name: Name
    view: ViewName
    metrics: Annotated[list[MetricBody], Field(min_length=1)]
    chart_type: ChartType

    @property
    def definition(self) -> WidgetDefinition:
        """The widget that it declares; raises InvalidRequest."""
        return defined(**self._values())


class DimensionShape(JsonShape):
    """What a widget groups by."""

    field: str


class MetricShape(JsonShape):
    """A figure of a widget."""

    measure: str
    agg: Aggregation


class SortShape(JsonShape):
    """The column by which a table is sorted."""

    column: str
    order: Literal["ASC", "DESC"]


class ChartConfigShape(JsonShape):
    """What a chart was told."""

    type: ChartType
    row_limit: NotRequired[int]
    bins: NotRequired[int]
    defaultSort: NotRequired[SortShape]


class WidgetShape(JsonShape):
    """A widget: what it asks, and how it is drawn."""

    id: str
    createdAt: Instant
    updatedAt: Instant
    name: str
    description: str
    view: ViewName
    dimensions: Sequence[DimensionShape]
    metrics: Sequence[MetricShape]
    filters: Sequence[ConditionShape]
    chartType: ChartType
    chartConfig: ChartConfigShape
    minVersion: Literal[2]


def widget_shape(widget: Widget) -> WidgetShape:
    """The contract's widget."""
    definition = widget.definition
    return {
        "id": widget.id,
        "createdAt": iso(widget.created_at),
        "updatedAt": iso(widget.updated_at),
        "name": definition.name,
        "description": definition.description,
        "view": definition.view,
        "dimensions": [{"field": each.field} for each in definition.dimensions],
        "metrics": [{"measure": each.measure, "agg": each.aggregation} for each in definition.metrics],
        "filters": [each.model_dump(mode="json") for each in definition.filters],
        "chartType": definition.chart_type,
        "chartConfig": _chart_config_shape(definition),
        "minVersion": 2,
    }


def _chart_config_shape(definition: WidgetDefinition) -> ChartConfigShape:
    config = definition.chart_config
    shape: ChartConfigShape = {"type": definition.chart_type}
    if config.row_limit is not None:
        shape["row_limit"] = config.row_limit
    if config.bins is not None:
        shape["bins"] = config.bins
    if config.default_sort is not None:
        shape["defaultSort"] = {"column": config.default_sort.column, "order": config.default_sort.order}
    return shape

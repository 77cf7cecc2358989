"""Dashboards, their placements and widgets as the API shows and takes them."""

from typing import Annotated, Any, Literal, Self

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from heliograph.domain.dashboards import (
    DEFAULT_SIZE,
    Dashboard,
    NewDashboard,
    Placement,
    PlacementType,
    Widget,
)
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import MAX_CONDITIONS, Condition
from heliograph.domain.metrics import Aggregation, Dimension, Metric, ViewName
from heliograph.domain.widgets import MAX_DESCRIPTION, MAX_NAME, ChartConfig, ChartType, WidgetDefinition, defined
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.values import iso

_Name = Annotated[Text, Field(min_length=1, max_length=MAX_NAME)]
_Description = Annotated[Text, Field(max_length=MAX_DESCRIPTION)]
_Id = Annotated[Text, Field(min_length=1, max_length=200)]
_Filters = Annotated[list[Condition], Field(max_length=MAX_CONDITIONS)]
_Row = Annotated[int, Field(ge=0, le=10_000)]
_Length = Annotated[int, Field(ge=1, le=10_000)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=AliasGenerator(validation_alias=to_camel))

    def given(self) -> dict[str, Any]:
        """The fields that were sent; raises InvalidRequest when there are none."""
        fields = {name: getattr(self, name) for name in self.model_fields_set}
        if not fields:
            raise InvalidRequest("body", "must hold at least one field to be changed")
        return fields


class PlacementBody(_Body):
    """A widget to be placed; without a position it comes below all others, in half of the width."""

    type: Literal["widget", "preset"]
    id: _Id | None = None
    widget_id: _Id | None = None
    preset_id: _Id | None = None
    x: _Row | None = None
    y: _Row | None = None
    width: _Length | None = None
    height: _Length | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.widget_id is None) is not (self.type == "preset") or (self.preset_id is None) is (
            self.type == "preset"
        ):
            raise ValueError("a widget has a widgetId, and a preset a presetId")
        return self

    def placement(self, fresh_id: str, below: int) -> Placement:
        """The placement; `below` is the first row that others leave free."""
        return Placement(
            id=self.id or fresh_id,
            type=PlacementType(self.type),
            widget_id=self.widget_id or self.preset_id or "",
            x=0 if self.x is None else self.x,
            y=below if self.y is None else self.y,
            width=self.width or DEFAULT_SIZE,
            height=self.height or DEFAULT_SIZE,
        )


class WholePlacement(PlacementBody):
    """A placement with everything that it has."""

    id: _Id
    x: _Row
    y: _Row
    width: _Length
    height: _Length


class DefinitionBody(_Body):
    """Which widgets stand where."""

    widgets: list[WholePlacement]

    @property
    def placements(self) -> tuple[Placement, ...]:
        """The placements in their order."""
        return tuple(each.placement("", 0) for each in self.widgets)


class DashboardBody(_Body):
    """A dashboard to be created."""

    name: _Name
    description: _Description = ""
    definition: DefinitionBody | None = None
    filters: _Filters = Field(default_factory=list)

    @property
    def dashboard(self) -> NewDashboard:
        """The dashboard that it declares."""
        placements = self.definition.placements if self.definition else ()
        filters = tuple(self.filters)
        return NewDashboard(name=self.name, description=self.description, placements=placements, filters=filters)


class DashboardChanges(_Body):
    """What is to be changed of a dashboard."""

    name: _Name = ""
    description: _Description = ""
    definition: DefinitionBody = DefinitionBody(widgets=[])
    filters: _Filters = Field(default_factory=list)

    @property
    def changes(self) -> dict[str, Any]:
        """The new values by field; raises InvalidRequest when there are none."""
        given = self.given()
        if "definition" in given:
            given["placements"] = given.pop("definition").placements
        if "filters" in given:
            given["filters"] = tuple(given["filters"])
        return given


class PositionChanges(_Body):
    """Where a widget is to stand, and how large it is to be; what is left out stays."""

    x: _Row = 0
    y: _Row = 0
    width: _Length = 1
    height: _Length = 1


class MetricBody(_Body):
    """A figure of a widget."""

    measure: _Id
    agg: Aggregation


class WidgetChanges(_Body):
    """What is to be changed of a widget."""

    name: _Name = ""
    description: _Description = ""
    view: ViewName = ViewName.OBSERVATIONS
    dimensions: list[Dimension] = Field(default_factory=list)
    metrics: list[MetricBody] = Field(default_factory=list)
    filters: _Filters = Field(default_factory=list)
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

    name: _Name
    view: ViewName
    metrics: Annotated[list[MetricBody], Field(min_length=1)]
    chart_type: ChartType

    @property
    def definition(self) -> WidgetDefinition:
        """The widget that it declares; raises InvalidRequest."""
        return defined(**self._values())


def dashboard_shape(dashboard: Dashboard) -> dict[str, Any]:
    """The contract's dashboard."""
    return {
        "id": dashboard.id,
        "createdAt": iso(dashboard.created_at),
        "updatedAt": iso(dashboard.updated_at),
        "name": dashboard.name,
        "description": dashboard.description,
        "definition": {"widgets": list(map(placement_shape, dashboard.placements))},
        "filters": [each.model_dump(mode="json") for each in dashboard.filters],
    }


def placement_shape(placement: Placement) -> dict[str, Any]:
    """The contract's placement."""
    reference = "presetId" if placement.type is PlacementType.PRESET else "widgetId"
    named = {"type": placement.type, "id": placement.id, reference: placement.widget_id}
    return named | {name: getattr(placement, name) for name in ("x", "y", "width", "height")}


def widget_shape(widget: Widget) -> dict[str, Any]:
    """The contract's widget."""
    definition = widget.definition
    config = definition.chart_config.model_dump(mode="json", by_alias=True, exclude_none=True)
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
        "chartConfig": {"type": definition.chart_type, **config},
        "minVersion": 2,
    }

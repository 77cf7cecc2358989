"""Dashboards, their placements and widgets as the API shows and takes them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired, Self

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from heliograph.domain.dashboards import (
    DEFAULT_SIZE,
    Dashboard,
    NewDashboard,
    Placement,
    PlacementType,
)
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import MAX_CONDITIONS, Condition
from heliograph.domain.widgets import MAX_DESCRIPTION, MAX_NAME
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.values import ConditionShape, Instant, JsonShape, iso

Name = Annotated[Text, Field(min_length=1, max_length=MAX_NAME)]
Description = Annotated[Text, Field(max_length=MAX_DESCRIPTION)]
Id = Annotated[Text, Field(min_length=1, max_length=200)]
Filters = Annotated[list[Condition], Field(max_length=MAX_CONDITIONS)]
_Row = Annotated[int, Field(ge=0, le=10_000)]
_Length = Annotated[int, Field(ge=1, le=10_000)]


class Changes(BaseModel):
    """What is sent of something that can be changed in parts."""

    model_config = ConfigDict(frozen=True, alias_generator=AliasGenerator(validation_alias=to_camel))

    def given(self) -> dict[str, Any]:
        """The fields that were sent; raises InvalidRequest when there are none."""
        fields = {name: getattr(self, name) for name in self.model_fields_set}
        if not fields:
            raise InvalidRequest("body", "must hold at least one field to be changed")
        return fields


class PlacementBody(Changes):
    """A widget to be placed; without a position it comes below all others, in half of the width."""

    type: Literal["widget", "preset"]
    id: Id | None = None
    widget_id: Id | None = None
    preset_id: Id | None = None
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

    id: Id
    x: _Row
    y: _Row
    width: _Length
    height: _Length


class DefinitionBody(Changes):
    """Which widgets stand where."""

    widgets: list[WholePlacement]

    @property
    def placements(self) -> tuple[Placement, ...]:
        """The placements in their order."""
        return tuple(each.placement("", 0) for each in self.widgets)


class DashboardBody(Changes):
    """A dashboard to be created."""

    name: Name
    description: Description = ""
    definition: DefinitionBody | None = None
    filters: Filters = Field(default_factory=list)

    @property
    def dashboard(self) -> NewDashboard:
        """The dashboard that it declares."""
        placements = self.definition.placements if self.definition else ()
        filters = tuple(self.filters)
        return NewDashboard(name=self.name, description=self.description, placements=placements, filters=filters)


class DashboardChanges(Changes):
    """What is to be changed of a dashboard."""

    name: Name = ""
    description: Description = ""
    definition: DefinitionBody = DefinitionBody(widgets=[])
    filters: Filters = Field(default_factory=list)

    @property
    def changes(self) -> dict[str, Any]:
        """The new values by field; raises InvalidRequest when there are none."""
        given = self.given()
        if "definition" in given:
            given["placements"] = given.pop("definition").placements
        if "filters" in given:
            given["filters"] = tuple(given["filters"])
        return given


class PositionChanges(Changes):
    """Where a widget is to stand, and how large it is to be; what is left out stays."""

    x: _Row = 0
    y: _Row = 0
    width: _Length = 1
    height: _Length = 1


class PlacementShape(JsonShape):
    """Where a widget stands on the grid of a dashboard: `presetId` in place of `widgetId` for a preset."""

    type: PlacementType
    id: str
    widgetId: NotRequired[str]
    presetId: NotRequired[str]
    x: int
    y: int
    width: int
    height: int


class DefinitionShape(JsonShape):
    """Which widgets stand where."""

    widgets: Sequence[PlacementShape]


class DashboardShape(JsonShape):
    """A dashboard; its filters narrow every widget that knows their columns."""

    id: str
    createdAt: Instant
    updatedAt: Instant
    name: str
    description: str
    definition: DefinitionShape
    filters: Sequence[ConditionShape]


def dashboard_shape(dashboard: Dashboard) -> DashboardShape:
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


def placement_shape(placement: Placement) -> PlacementShape:
    """The contract's placement."""
    shape: PlacementShape = {
        "type": placement.type,
        "id": placement.id,
        "x": placement.x,
        "y": placement.y,
        "width": placement.width,
        "height": placement.height,
    }
    if placement.type is PlacementType.PRESET:
        return {**shape, "presetId": placement.widget_id}
    return {**shape, "widgetId": placement.widget_id}

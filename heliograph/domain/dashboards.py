"""Dashboards: widgets, and where each stands on a grid."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Condition
from heliograph.domain.widgets import WidgetDefinition

GRID_COLUMNS = 12
DEFAULT_SIZE = 6
MAX_PLACEMENTS = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_ROW = 10_000

_Position = Annotated[int, Field(ge=0, le=_MAX_ROW)]
_Length = Annotated[int, Field(ge=1, le=_MAX_ROW)]


class PlacementType(StrEnum):
    """What stands on the grid: a widget, of the project or managed, or a managed one by the name of presets."""

    WIDGET = "widget"
    PRESET = "preset"


class Position(BaseModel):
    """A rectangle of the grid's cells."""

    model_config = ConfigDict(frozen=True)

    x: _Position
    y: _Position
    width: _Length
    height: _Length


class Placement(Position):
    """A widget on the grid; `id` tells it from others of the same dashboard."""

    id: Annotated[str, Field(min_length=1, max_length=200)]
    type: PlacementType = PlacementType.WIDGET
    widget_id: Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True, kw_only=True)
class NewDashboard:
    """A dashboard as it is to be kept; `filters` narrow every widget that knows their columns."""

    name: str
    description: str = ""
    placements: tuple[Placement, ...] = ()
    filters: tuple[Condition, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Dashboard(NewDashboard):
    """A dashboard; a managed one belongs to no project and cannot be changed."""

    id: str
    project_id: str | None = None
    created_at: datetime = _EPOCH
    updated_at: datetime = _EPOCH

    @property
    def is_managed(self) -> bool:
        """Whether it comes with Heliograph."""
        return self.project_id is None


@dataclass(frozen=True, kw_only=True)
class Widget:
    """A widget that dashboards can show; a managed one belongs to no project."""

    id: str
    definition: WidgetDefinition
    project_id: str | None = None
    created_at: datetime = field(default=_EPOCH)
    updated_at: datetime = field(default=_EPOCH)


def check(dashboard: NewDashboard) -> None:
    """Raise InvalidRequest unless it has a name, and its placements are told apart by their ids."""
    if not dashboard.name.strip():
        raise InvalidRequest("name", "is empty")
    if len(dashboard.placements) > MAX_PLACEMENTS:
        raise InvalidRequest("definition", f"has more than {MAX_PLACEMENTS} widgets")
    if len({placement.id for placement in dashboard.placements}) < len(dashboard.placements):
        raise InvalidRequest("definition", "has two placements of one id")


def below(placements: Sequence[Placement]) -> int:
    """The first row below all placements."""
    return max((placement.y + placement.height for placement in placements), default=0)

"""What people change of dashboards from the pages."""

import contextlib
from collections.abc import Iterable

from dashboard.mandate import Mandate
from heliograph.domain.dashboards import Dashboard, NewDashboard, Placement, Position, Widget, below
from heliograph.domain.errors import Conflict
from heliograph.domain.managed_dashboards import MANAGED_WIDGETS
from heliograph.domain.not_found import WidgetNotFound
from heliograph.domain.widgets import ChartType, WidgetDefinition
from storage.clickhouse.metrics.widgets import checked_widget
from storage.postgres.connection import Database
from storage.postgres.dashboard_widgets import Widgets
from storage.postgres.dashboards import Dashboards

DASHBOARDS = "dashboards:CUD"
_WIDTH, _HEIGHT, _LOW = 6, 4, 2


class DashboardChanges:
    """The changes of the dashboards of one project; each raises RoleInsufficient when the role lacks the scope."""

    def __init__(self, database: Database, mandate: Mandate) -> None:
        self._dashboards = Dashboards(database, mandate.project.id)
        self._widgets = Widgets(database, mandate.project.id)
        self._mandate = mandate

    async def create(self, name: str) -> Dashboard:
        """Create an empty dashboard; raises InvalidRequest."""
        await self._mandate.act(DASHBOARDS)
        return await self._dashboards.create(NewDashboard(name=name.strip()))

    async def duplicate(self, dashboard: Dashboard) -> Dashboard:
        """Copy a dashboard, a managed one too, with its widgets; raises DashboardNotFound."""
        await self._mandate.act(DASHBOARDS)
        return await self._dashboards.duplicate(dashboard.id, f"{dashboard.name} (copy)")

    async def rename(self, dashboard_id: str, name: str, description: str) -> None:
        """Call a dashboard something else; raises InvalidRequest and DashboardNotFound."""
        await self._mandate.act(DASHBOARDS)
        await self._dashboards.change(dashboard_id, name=name.strip(), description=description.strip())

    async def delete(self, dashboard: Dashboard) -> None:
        """Remove a dashboard with those of its widgets that no other shows; raises DashboardNotFound."""
        await self._mandate.act(DASHBOARDS)
        await self._dashboards.delete(dashboard.id)
        for widget_id in {placement.widget_id for placement in dashboard.placements}:
            await self._drop(widget_id)

    async def lay_out(self, dashboard_id: str, positions: dict[str, Position]) -> Dashboard:
        """Put the placements of these ids elsewhere; raises DashboardNotFound and InvalidRequest."""
        await self._mandate.act(DASHBOARDS)
        before = await self._dashboards.get(dashboard_id)
        return await self._dashboards.change(dashboard_id, placements=tuple(_moved(before.placements, positions)))

    async def remove(self, dashboard_id: str, placement_id: str) -> None:
        """Take a widget off a dashboard, and remove it unless another shows it; raises PlacementNotFound."""
        await self._mandate.act(DASHBOARDS)
        removed = await self._dashboards.remove(dashboard_id, placement_id)
        await self._drop(removed.widget_id)

    async def keep_widget(self, dashboard_id: str, widget_id: str, definition: WidgetDefinition) -> Widget:
        """Change a widget, or put a new one below the others if there is none of the project's own of this id.

        Raises:
            InvalidRequest: what it asks does not exist, or cannot be combined.
            DashboardNotFound: the project has no such dashboard.
        """
        await self._mandate.act(DASHBOARDS)
        checked_widget(definition)
        if widget_id in await self._widgets.of([widget_id]) and widget_id not in MANAGED_WIDGETS:
            return await self._widgets.change(widget_id, definition)
        dashboard = await self._dashboards.get(dashboard_id)
        widget = await self._widgets.create(definition)
        height = _LOW if definition.chart_type is ChartType.NUMBER else _HEIGHT
        place = {"x": 0, "y": below(dashboard.placements), "width": _WIDTH, "height": height}
        await self._dashboards.place(dashboard_id, Placement(id=widget.id, widget_id=widget.id, **place))
        return widget

    async def _drop(self, widget_id: str) -> None:
        with contextlib.suppress(Conflict, WidgetNotFound):
            await self._widgets.delete(widget_id)


def _moved(placements: Iterable[Placement], positions: dict[str, Position]) -> Iterable[Placement]:
    for each in placements:
        place = positions.get(each.id)
        yield (
            each
            if place is None
            else each.model_copy(update={"x": place.x, "y": place.y, "width": place.width, "height": place.height})
        )

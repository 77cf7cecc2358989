"""The dashboards of a project, those that come with Heliograph first."""

from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components import formats, panes
from dashboard.components.widgets import DataTable
from dashboard.dashboard_changes import DASHBOARDS
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import OpenDashboard
from heliograph.domain.dashboards import Dashboard
from heliograph.domain.errors import HeliographError

COLUMNS = [
    {"field": "name", "title": "Name", "kind": "strong"},
    {"field": "kind", "title": "Kind", "kind": "chips"},
    {"field": "description", "title": "Description"},
    {"field": "widgets", "title": "Widgets", "align": "right"},
    {"field": "updated_at", "title": "Changed (UTC)"},
]
ABSENT = "No dashboard of your own yet: copy a managed one, or make one of the widgets that you need."


class DashboardShelf:
    """View of the list of dashboards."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.shell = Shell(context)
        self.said = panes.html(margin=(8, 0, 0, 0))
        self.table = DataTable(
            on_sort=lambda _: None, columns=COLUMNS, caption=f"Dashboards of {context.project.name}",
            empty="No dashboards.", is_busy=True, sizing_mode="stretch_width", margin=(10, 0, 8, 0),
        )  # fmt: skip
        self.absent = panes.html(margin=(0, 0, 24, 0))

    def page(self) -> pmui.Page:
        """The page."""
        return self.shell.page("Dashboards", self._load)

    async def _load(self) -> None:
        if await self.context.changes.may(DASHBOARDS):
            self.shell.controls[:] = self._making()
        found = await self.context.queries.dashboards.shelf()
        link = self.shell.address.query(self.shell.scope)
        self.table.param.update(rows=[_row(each, link) for each in found], is_busy=False)
        self.absent.object = "" if any(not each.is_managed for each in found) else f'<p class="quiet">{ABSENT}</p>'
        self.shell.body[:] = [pn.Column(self.said, self.table, self.absent, sizing_mode="stretch_width", margin=0)]

    def _making(self) -> list[Any]:
        name = pmui.TextInput(label="Name of a new dashboard", width=260, size="small", margin=(0, 12, 0, 0), sx=FIELD)
        make = pmui.Button(label="Create", icon="add", variant="outlined", margin=0, sx=FIELD)

        async def create(*_: object) -> None:
            try:
                made = await self.context.changes.dashboards.create(name.value_input)
            except HeliographError as error:
                self.said.object = str(panes.refusal(str(error)))
                return
            name.value = name.value_input = ""
            await self.shell.guarded(self._load)()
            self.said.object = str(panes.success(f"Made {made.name}. Open it to add widgets."))

        make.on_click(create)
        return [name, make]


def _row(dashboard: Dashboard, link: str) -> dict[str, Any]:
    return {
        "href": f"/dashboard{link}&{OpenDashboard(dashboard=dashboard.id).write()}",
        "name": dashboard.name,
        "kind": ["managed"] if dashboard.is_managed else [],
        "description": dashboard.description,
        "widgets": formats.count(len(dashboard.placements)),
        "updated_at": "" if dashboard.is_managed else formats.moment(dashboard.updated_at),
    }

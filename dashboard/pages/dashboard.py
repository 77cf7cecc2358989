"""One dashboard: its widgets on their grid, the changes of it, and the form of one of its widgets."""

from collections.abc import Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from dashboard.components import panes
from dashboard.components.dashboard_dialogs import deletion, renaming
from dashboard.components.widget_cards import WidgetCards
from dashboard.components.widget_editor import WidgetEditor
from dashboard.components.widget_grid import Moved
from dashboard.dashboard_changes import DASHBOARDS
from dashboard.queries.dashboards import Answer, OpenedDashboard
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import OpenDashboard
from heliograph.domain.dashboards import Position
from heliograph.domain.errors import HeliographError
from heliograph.domain.widgets import WidgetDefinition

NEW = "new"
_EMPTY = Markup('<p class="quiet">Nothing stands here yet.</p>')
_DELETED = Markup('<p class="notice done" role="status">The dashboard is deleted. <a href="{}">All dashboards</a></p>')
_TOP = {"flex-wrap": "wrap", "align-items": "flex-end"}


class DashboardView:
    """View of one dashboard; which, and which of its widgets is edited, is in `opened`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.opened = OpenDashboard()
        self.shell = Shell(context, self.opened)
        self.head = panes.html(margin=(14, 0, 0, 0), styles={"flex": "1 1 340px"})
        self.said = panes.html(margin=(8, 0, 0, 0))
        self._cards: WidgetCards | None = None
        self._may_change = self._is_editing = False
        self._loads = 0

    def page(self) -> pmui.Page:
        """The page."""
        self.shell.controls[:] = self.shell.scope_controls()
        self.shell.follow_scope(self._ask_again)
        self.shell.bar.param.watch(self._draw, "is_dark")
        return self.shell.page("Dashboard", self._open)

    async def _open(self) -> None:
        await self._load()
        await self.shell.offer_choices()

    async def _load(self) -> None:
        self._loads = this = self._loads + 1
        self._may_change = await self.context.changes.may(DASHBOARDS)
        opened = await self.context.queries.dashboards.opened(self.opened.dashboard)
        may_edit = self._may_change and not opened.dashboard.is_managed
        if self.opened.widget and may_edit:
            self.head.object = str(self._heading(opened))
            self._edit_widget(opened)
            return
        cards = WidgetCards(opened, lambda definition: self._answer(opened, definition), self._href)
        await cards.fill(is_dark=self.shell.is_dark)
        # A slower answer to an older question must not overwrite the newer one.
        if this != self._loads:
            return
        self._cards = cards
        # With the buttons, not before them: whoever reads the new name finds those that belong to it.
        self.head.object = str(self._heading(opened))
        grid = cards.grid(is_editable=self._is_editing and may_edit, on_layout=self._lay_out, on_remove=self._remove)
        shown = grid if opened.dashboard.placements else panes.html(_EMPTY)
        tools = self._tools(opened, may_edit=may_edit) if self._may_change else []
        bar = pn.Row(*tools, margin=(18, 0, 0, 0), styles={"flex-wrap": "wrap", "flex": "none", "max-width": "100%"})
        top = pn.Row(self.head, bar, sizing_mode="stretch_width", margin=0, styles=_TOP)
        self.shell.body[:] = [
            top, self.said, pn.Column(shown, sizing_mode="stretch_width", margin=(14, 0, 24, 0))
        ]  # fmt: skip

    async def _reload(self, said: Markup | str = "") -> None:
        self.said.object = str(said)
        await self.shell.guarded(self._load)()

    async def _ask_again(self, *_: object) -> None:
        if self._cards is not None:
            await self._cards.fill(is_dark=self.shell.is_dark)

    def _draw(self, *_: object) -> None:
        if self._cards is not None:
            self._cards.draw(is_dark=self.shell.is_dark)

    async def _answer(self, opened: OpenedDashboard, definition: WidgetDefinition) -> Answer:
        scope = self.shell.scope
        filters = opened.dashboard.filters
        asked = self.context.queries.dashboards
        return await asked.answer(definition, scope.period(), environment=scope.environment, filters=filters)

    def _heading(self, opened: OpenedDashboard) -> Markup:
        link = self.shell.address.query(self.shell.scope)
        dashboard = opened.dashboard
        steps = [("Dashboards", f"/dashboards{link}"), (dashboard.name, self._href(""))]
        chip = Markup(' <span class="chip">managed</span>') if dashboard.is_managed else ""
        return Markup("{}<h2>{}{}</h2>{}").format(
            panes.way(steps), dashboard.name, chip,
            Markup('<p class="quiet">{}</p>').format(dashboard.description) if dashboard.description else "",
        )  # fmt: skip

    def _href(self, widget_id: str) -> str:
        state = OpenDashboard(dashboard=self.opened.dashboard, widget=widget_id)
        return f"/dashboard{self.shell.address.query(self.shell.scope)}&{state.write()}"

    def _tools(self, opened: OpenedDashboard, *, may_edit: bool) -> list[Any]:
        dashboard = opened.dashboard
        copy = _button("Duplicate", "content_copy")
        copy.on_click(self._duplicate)
        if not may_edit:
            return [copy]
        edit = _button("Done" if self._is_editing else "Arrange", "done" if self._is_editing else "dashboard_customize")
        edit.on_click(self._toggle)
        add = _button("Add widget", "add", href=self._href(NEW))
        rename, delete = _button("Rename", "edit"), _button("Delete", "delete")
        dialogs = [
            renaming(rename, dashboard, self._rename),
            deletion(delete, dashboard, self._delete),
        ]
        return [add, edit, copy, rename, delete, *dialogs]

    async def _toggle(self, *_: object) -> None:
        self._is_editing = not self._is_editing
        await self._reload()

    async def _duplicate(self, *_: object) -> None:
        opened = await self.context.queries.dashboards.opened(self.opened.dashboard)
        try:
            copy = await self.context.changes.dashboards.duplicate(opened.dashboard)
        except HeliographError as error:
            self.said.object = str(panes.refusal(str(error)))
            return
        self.opened.dashboard = copy.id
        await self._reload(panes.success(f"This is {copy.name}, which can be changed."))

    async def _rename(self, name: str, description: str) -> None:
        try:
            await self.context.changes.dashboards.rename(self.opened.dashboard, name, description)
        except HeliographError as error:
            self.said.object = str(panes.refusal(str(error)))
            return
        await self._reload()

    async def _delete(self) -> None:
        opened = await self.context.queries.dashboards.opened(self.opened.dashboard)
        try:
            await self.context.changes.dashboards.delete(opened.dashboard)
        except HeliographError as error:
            self.said.object = str(panes.refusal(str(error)))
            return
        link = self.shell.address.query(self.shell.scope)
        self._cards = None
        self.shell.body[:] = [panes.html(_DELETED.format(f"/dashboards{link}"))]

    def _lay_out(self, moved: Sequence[Moved]) -> None:
        async def keep() -> None:
            positions: dict[str, Position] = {each.id: each for each in moved}
            try:
                await self.context.changes.dashboards.lay_out(self.opened.dashboard, positions)
                self.said.object = ""
            except HeliographError as error:
                self.said.object = str(panes.refusal(str(error)))

        if self._cards is not None:
            self._cards.resize(moved, is_dark=self.shell.is_dark)
        pn.state.execute(keep)

    def _remove(self, placement_id: str) -> None:
        async def remove() -> None:
            try:
                await self.context.changes.dashboards.remove(self.opened.dashboard, placement_id)
            except HeliographError as error:
                self.said.object = str(panes.refusal(str(error)))
                return
            await self._reload()

        pn.state.execute(remove)

    def _edit_widget(self, opened: OpenedDashboard) -> None:
        self._cards = None

        async def keep(definition: WidgetDefinition) -> None:
            await self.context.changes.dashboards.keep_widget(opened.dashboard.id, self.opened.widget, definition)
            self.opened.widget = ""
            await self._reload(panes.success(f"Saved {definition.name}."))

        async def leave() -> None:
            self.opened.widget = ""
            await self._reload()

        known = opened.widgets.get(self.opened.widget)
        editor = WidgetEditor(
            known.definition if known else None,
            ask=lambda definition: self._answer(opened, definition),
            keep=keep,
            leave=leave,
        )
        self.shell.body[:] = [self.head, editor.view(is_dark=self.shell.is_dark)]


def _button(label: str, icon: str, **more: Any) -> pmui.Button:
    return pmui.Button(label=label, icon=icon, variant="outlined", margin=(0, 10, 8, 0), sx=FIELD, **more)

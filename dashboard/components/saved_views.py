"""The saved views of a table: one is chosen, kept under a name, or removed."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

import panel as pn
import panel_material_ui as pmui

from dashboard.components import panes
from dashboard.components.collecting import BUTTON
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import ListState, query_of
from dashboard.view_changes import VIEWS
from heliograph.domain.errors import HeliographError
from heliograph.domain.saved_views import MAX_NAME, SavedView

NO_VIEW = "No saved view"
# What of an address is no part of a view.
_PASSING = {"page", "view"}


class SavedViewBar:
    """Chooses among the views of one page; which one was chosen is in the address, as is what it shows.

    Args:
        context: of the page.
        shell: of the page, whose control row is part of a view.
        wanted: the state of the table, which is the rest of it.
    """

    def __init__(self, context: PageContext, shell: Shell, wanted: ListState) -> None:
        self._context, self._shell, self._wanted = context, shell, wanted
        self._choice = pmui.Select(
            label="View", options={NO_VIEW: ""}, value="", width=200, size="small", margin=0, sx=FIELD
        )
        self._save = pmui.Button(label="Save view", icon="bookmark_add", visible=False, **BUTTON)
        self._remove = pmui.Button(label="Delete view", icon="delete", visible=False, **BUTTON)
        self._name = pmui.TextInput(
            label="Name", max_length=MAX_NAME, sizing_mode="stretch_width", margin=(8, 0, 14, 0), value=""
        )
        self._keep = pmui.Button(label="Save", color="primary", variant="contained", margin=0)
        self._said = panes.html()
        words = pmui.Typography(
            "Everybody in the project sees period, filters, order and columns under this name.", margin=(0, 0, 10, 0)
        )
        self._dialog = pmui.Dialog(
            words, self._name, self._said, self._keep, title="Save this view", width_option="sm", close_on_click=True
        )
        self._views: dict[str, SavedView] = {}
        self._may_change = False
        self._choice.param.watch(self._choose, "value")
        self._save.on_click(lambda _: self._ask())
        self._keep.on_click(self._put)
        self._remove.on_click(self._drop)

    def view(self, *beside: Any) -> pn.Row:
        """What stands above the table, with other things beside it."""
        return pn.Row(
            self._choice, self._save, self._remove, *beside, self._dialog, sizing_mode="stretch_width",
            margin=(14, 0, 0, 0), styles={**panes.WRAP, "gap": "10px", "align-items": "center"},
        )  # fmt: skip

    async def offer(self) -> None:
        """Fill the choice, and offer what the user's role allows."""
        self._may_change = await self._context.changes.may(VIEWS)
        await self._fill()

    async def _fill(self) -> None:
        found = await self._context.queries.views.of(self._context.path)
        self._views = {view.id: view for view in found}
        chosen = self._wanted.view if self._wanted.view in self._views else ""
        options = {NO_VIEW: "", **{view.name: view.id for view in found}}
        self._choice.param.update(options=options, value=chosen)
        self._save.visible = self._may_change
        self._remove.visible = self._may_change and bool(chosen)

    def _choose(self, *_: object) -> None:
        chosen = self._choice.value or ""
        if chosen == self._wanted.view:
            return
        view = self._views.get(chosen)
        address = query_of(view.query) if view else {}
        self._shell.scope.become(address)
        self._wanted.become({**address, "view": chosen})
        self._remove.visible = self._may_change and bool(chosen)

    def _ask(self) -> None:
        self._said.object = ""
        self._name.value = self._views[self._wanted.view].name if self._wanted.view in self._views else ""
        self._dialog.open = True

    async def _put(self, *_: object) -> None:
        name = self._name.value_input or self._name.value
        try:
            kept = await self._context.changes.views.keep(self._context.path, name, self._query())
        except HeliographError as error:
            self._said.object = str(panes.refusal(str(error)))
            return
        self._dialog.open = False
        self._wanted.view = kept.id
        await self._fill()

    async def _drop(self, *_: object) -> None:
        try:
            await self._context.changes.views.remove(self._wanted.view)
        except HeliographError as error:
            self._said.object = str(panes.refusal(str(error)))
            self._dialog.open = True
            return
        self._wanted.view = ""
        await self._fill()

    def _query(self) -> str:
        parts = [*parse_qsl(self._shell.scope.write()), *parse_qsl(self._wanted.write())]
        return urlencode([(name, text) for name, text in parts if name not in _PASSING])

"""A filter in the language of the API above a table; it is in the address."""

import panel as pn
import panel_material_ui as pmui

from dashboard.components import panes
from dashboard.components.collecting import BUTTON
from dashboard.components.comparisons import asked_of, under_first_name
from dashboard.components.filter_form import FilterForm, Suggesting
from dashboard.filter_text import conditions_of, text_of
from dashboard.state import FilteredList
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Condition
from storage.clickhouse.columns import Columns


class FilterPanel:
    """Opened by a button; applied as a whole, so that a half-written condition narrows nothing.

    Args:
        columns: what can be asked.
        wanted: the state of the table, whose `filter` is written.
        suggesting: what has occurred in the columns.
    """

    def __init__(self, columns: Columns, wanted: FilteredList, suggesting: Suggesting) -> None:
        self._columns, self._wanted, self._suggesting = columns, wanted, suggesting
        self.opener = pmui.Button(label="Filter", icon="filter_list", **BUTTON)
        self._apply = pmui.Button(label="Apply", color="primary", **{**BUTTON, "variant": "contained"})
        self._clear = pmui.Button(label="Clear", **BUTTON)
        self._said = panes.html()
        self._rows = pn.Column(sizing_mode="stretch_width", margin=0)
        foot = pn.Row(self._apply, self._clear, margin=(10, 0, 8, 0), styles={"gap": "10px"})
        self._view = pn.Column(
            panes.paper(self._rows, self._said, foot), sizing_mode="stretch_width", margin=(14, 0, 0, 0), visible=False
        )
        self._fill()
        self.opener.on_click(self._open)
        self._apply.on_click(self._take)
        self._clear.on_click(self._leave)
        wanted.param.watch(self._follow, "filter")

    def view(self) -> pn.Column:
        """The form."""
        return self._view

    def _fill(self) -> None:
        conditions: list[Condition] = []
        self._said.object = ""
        self._held = self._wanted.filter
        try:
            conditions = [under_first_name(each, self._columns) for each in conditions_of(self._held)]
        except InvalidRequest as error:
            self._said.object = str(panes.refusal(str(error)))
        self._form = FilterForm(asked_of(self._columns), conditions, self._suggesting, entered=self._take)
        self._rows[:] = [self._form.view()]
        self._count(len(conditions))

    def _count(self, conditions: int) -> None:
        self.opener.label = f"Filter ({conditions})" if conditions else "Filter"

    async def _follow(self, *_: object) -> None:
        """Show what the address says by now, as after a saved view was chosen."""
        if self._wanted.filter != self._held:
            self._fill()
            await self._begin()

    async def _open(self, *_: object) -> None:
        self._view.visible = not self._view.visible
        await self._begin()

    async def _begin(self) -> None:
        """Be ready to be filled in, with a first row and suggestions."""
        if not self._view.visible:
            return
        if self._form.is_empty:
            await self._form.add()
        else:
            await self._form.suggest()

    def _take(self, *_: object) -> None:
        try:
            conditions = self._form.conditions()
        except InvalidRequest as error:
            self._said.object = str(panes.refusal(str(error)))
            return
        self._said.object = ""
        self._held = text_of(conditions)
        self._count(len(conditions))
        self._wanted.filter = self._held

    def _leave(self, *_: object) -> None:
        self._view.visible = False
        self._wanted.filter = ""

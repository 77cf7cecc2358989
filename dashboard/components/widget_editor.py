"""A widget as it is made: the form, and beside it what it would look like."""

from collections.abc import Awaitable, Callable

import panel as pn

from dashboard.components import panes
from dashboard.components.widget_content import widget_content
from dashboard.components.widget_form import FIRST, WidgetForm
from dashboard.queries.dashboards import Answer
from heliograph.domain.errors import HeliographError
from heliograph.domain.widgets import WidgetDefinition

_PREVIEW_HEIGHT = 320
_FORM = {"flex": "0 1 420px", "min-width": "300px"}
_PREVIEW = {"flex": "1 1 380px", "min-width": "0"}


class WidgetEditor:
    """The form of one widget with its preview.

    Args:
        before: the widget, or None for a new one.
        ask: answers the query of a widget.
        keep: what saving does; a HeliographError is shown.
        leave: what leaving without saving does.
    """

    def __init__(
        self,
        before: WidgetDefinition | None,
        *,
        ask: Callable[[WidgetDefinition], Awaitable[Answer]],
        keep: Callable[[WidgetDefinition], Awaitable[None]],
        leave: Callable[[], Awaitable[None]],
    ) -> None:
        self._ask, self._keep, self._leave = ask, keep, leave
        self._is_dark = False
        self.form = WidgetForm(before or FIRST, self._show)
        self.preview = pn.Column(sizing_mode="stretch_width", margin=0, min_height=_PREVIEW_HEIGHT)
        self.said = panes.html()
        self.form.save.on_click(self._save)
        self.form.cancel.on_click(self._cancel)

    def view(self, *, is_dark: bool) -> pn.Row:
        """The form, and the preview at its right where there is room."""
        self._is_dark = is_dark
        form, shown = panes.paper(self.form.view(), self.said), panes.card("Preview", self.preview)
        form.styles, shown.styles = _FORM, _PREVIEW
        pn.state.execute(self._show)
        styles = {**panes.GRID, "flex-wrap": "wrap", "align-items": "flex-start"}
        return pn.Row(form, shown, sizing_mode="stretch_width", margin=(14, 0, 24, 0), styles=styles)

    async def _show(self) -> None:
        try:
            definition = self.form.definition()
            answer = await self._ask(definition)
            drawn = widget_content(definition, answer, is_dark=self._is_dark, height=_PREVIEW_HEIGHT)
        except HeliographError as error:
            drawn = panes.html(panes.refusal(str(error)))
        self.preview[:] = [drawn]

    async def _save(self, *_: object) -> None:
        try:
            await self._keep(self.form.definition())
        except HeliographError as error:
            self.said.object = str(panes.refusal(str(error)))

    async def _cancel(self, *_: object) -> None:
        await self._leave()

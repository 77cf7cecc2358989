"""The widgets of one dashboard in their cards: asked, drawn, and drawn again when they are resized."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import panel as pn
import structlog

from dashboard.components import panes
from dashboard.components.widget_content import widget_content
from dashboard.components.widget_grid import Moved, WidgetGrid, content_height
from dashboard.queries.dashboards import Answer, OpenedDashboard
from heliograph.domain.dashboards import Placement
from heliograph.domain.errors import HeliographError
from heliograph.domain.widgets import WidgetDefinition

_log = structlog.get_logger()
_GONE = "This widget does not exist any more."
_BROKEN = "This widget could not be asked."

Ask = Callable[[WidgetDefinition], Awaitable[Answer]]


class WidgetCards:
    """The cards of an opened dashboard.

    Args:
        opened: the dashboard.
        ask: answers the query of a widget.
        href: where a widget of this id is edited.
    """

    def __init__(self, opened: OpenedDashboard, ask: Ask, href: Callable[[str], str]) -> None:
        self._opened = opened
        self._ask = ask
        self._href = href
        self._holders = [pn.Column(sizing_mode="stretch_width", margin=0) for _ in opened.dashboard.placements]
        self._answers: dict[str, Answer] = {}
        self._heights = {each.id: each.height for each in opened.dashboard.placements}

    def grid(
        self, *, is_editable: bool, on_layout: Callable[[Sequence[Moved]], Any], on_remove: Callable[[str], Any]
    ) -> WidgetGrid:
        """The grid of the cards."""
        return WidgetGrid(
            items=[self._item(placement) for placement in self._opened.dashboard.placements],
            objects=self._holders, is_editable=is_editable, on_layout=on_layout, on_remove=on_remove,
            sizing_mode="stretch_width", margin=0,
        )  # fmt: skip

    async def fill(self, *, is_dark: bool) -> None:
        """Ask every widget, and draw all at once; one that cannot be drawn says why in its card."""
        placements = self._opened.dashboard.placements
        refusals = await asyncio.gather(*map(self._answer, placements))
        # One message to the browser: it lays out the whole page at each.
        with pn.io.hold():
            for place, (placement, refusal) in enumerate(zip(placements, refusals, strict=True)):
                if refusal:
                    self._holders[place][:] = [panes.html(panes.refusal(refusal))]
                else:
                    self._draw(place, placement, is_dark=is_dark)

    def draw(self, *, is_dark: bool) -> None:
        """Draw what was answered again."""
        with pn.io.hold():
            for place, placement in enumerate(self._opened.dashboard.placements):
                if placement.id in self._answers:
                    self._draw(place, placement, is_dark=is_dark)

    def resize(self, moved: Sequence[Moved], *, is_dark: bool) -> None:
        """Draw those again whose height has changed."""
        changed = {each.id: each.height for each in moved if self._heights.get(each.id) != each.height}
        self._heights |= changed
        for place, placement in enumerate(self._opened.dashboard.placements):
            if placement.id in changed and placement.id in self._answers:
                self._draw(place, placement, is_dark=is_dark)

    async def _answer(self, placement: Placement) -> str:
        """Keep the answer of a widget; why there is none, or nothing."""
        self._answers.pop(placement.id, None)
        widget = self._opened.widgets.get(placement.widget_id)
        if widget is None:
            return _GONE
        try:
            self._answers[placement.id] = await self._ask(widget.definition)
        except HeliographError as error:
            return str(error)
        except Exception:  # noqa: BLE001 - the other cards are not to fail with it
            _log.exception("widget_failed", widget_id=placement.widget_id)
            return _BROKEN
        return ""

    def _draw(self, place: int, placement: Placement, *, is_dark: bool) -> None:
        definition = self._opened.widgets[placement.widget_id].definition
        height = content_height(self._heights[placement.id])
        self._holders[place][:] = [
            widget_content(definition, self._answers[placement.id], is_dark=is_dark, height=height)
        ]

    def _item(self, placement: Placement) -> dict[str, Any]:
        widget = self._opened.widgets.get(placement.widget_id)
        title = widget.definition.name if widget else "Missing widget"
        note = widget.definition.description if widget else ""
        position = {name: getattr(placement, name) for name in ("x", "y", "width", "height")}
        return {"id": placement.id, "title": title, "note": note, "href": self._href(placement.widget_id), **position}

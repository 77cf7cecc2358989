"""The grid on which the widgets of a dashboard stand."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import Children, JSComponent
from pydantic import TypeAdapter, ValidationError

from heliograph.domain.dashboards import Position

_HERE = Path(__file__).parent
# As the style sheet has them, in pixels: a row, what is between two, and what a card has beside its content.
_ROW, _GAP, _CARD = 76, 14, 40 + 8 + 2


class Moved(Position):
    """Where a placement stands now."""

    id: str


_LAYOUT: TypeAdapter[list[Moved]] = TypeAdapter(list[Moved])


class WidgetGrid(JSComponent):
    """Cards of widgets; while it can be edited they are moved, resized and removed.

    Items are dicts of `id`, `title`, `note`, `href` (where it is edited), `x`, `y`, `width`, `height`; `objects` are
    their contents in the same order, and stay what they are.
    """

    items = param.List(default=[], item_type=dict)
    is_editable = param.Boolean(default=False)
    objects = Children()

    _esm = (_HERE / "widget_grid.js").read_text("utf-8")
    _stylesheets: ClassVar[list[str]] = [(_HERE / "widget_grid.css").read_text("utf-8")]

    def __init__(
        self, *, on_layout: Callable[[Sequence[Moved]], None], on_remove: Callable[[str], None], **params: Any
    ) -> None:
        super().__init__(**params)
        self._on_layout = on_layout
        self._on_remove = on_remove

    def _handle_msg(self, data: Any) -> None:
        if not isinstance(data, dict):
            return
        if "remove" in data:
            self._on_remove(str(data["remove"]))
            return
        try:
            self._on_layout(_LAYOUT.validate_python(data.get("layout")))
        except ValidationError:
            return


def content_height(rows: int) -> int:
    """How many pixels the content of a card has that is so many rows high."""
    return rows * (_ROW + _GAP) - _GAP - _CARD

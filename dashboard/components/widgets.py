"""The components of our own that run in the browser: the bar, the table and the trace's tree."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from dashboard.components import formats
from dashboard.components.palette import TYPE_LOOKS
from dashboard.components.tree import Tree

_HERE = Path(__file__).parent


def _text(name: str) -> str:
    return (_HERE / name).read_text("utf-8")


class ShellBar(JSComponent):
    """Product name, project switch, search, theme and sign-out."""

    projects = param.List(default=[], item_type=dict)
    project_id = param.String(default="")
    page = param.String(default="/")
    query = param.String(default="")
    email = param.String(default="")
    is_dark = param.Boolean(default=False)

    _esm = _text("shell_bar.js")
    _stylesheets: ClassVar[list[str]] = [_text("shell_bar.css")]


class SideNav(JSComponent):
    """The sections, the one of `page` marked; on a narrow window their icons."""

    page = param.String(default="/")
    query = param.String(default="")

    _esm = _text("side_nav.js")
    _stylesheets: ClassVar[list[str]] = [_text("side_nav.css")]


class DataTable(JSComponent):
    """A page of rows, each a link; where they can be chosen, `selected` holds the `id` of those that are.

    Columns are dicts of `field`, `title`, and optionally `align`, `sortable` and `kind` (chips, level, strong, type,
    wide); rows hold text already formatted, by field, and `href`. The fields in `hidden` are not shown.
    """

    columns = param.List(default=[], item_type=dict)
    rows = param.List(default=[], item_type=dict)
    sort = param.String(default="")
    order = param.String(default="desc")
    caption = param.String(default="")
    empty = param.String(default="Nothing matches.")
    is_busy = param.Boolean(default=False)
    is_selectable = param.Boolean(default=False)
    selected = param.List(default=[], item_type=str)
    hidden = param.List(default=[], item_type=str)
    looks = param.Dict(default=TYPE_LOOKS)

    _esm = _text("data_table.js")
    _stylesheets: ClassVar[list[str]] = [_text("data_table.css")]

    def __init__(self, *, on_sort: Callable[[str], None], **params: Any) -> None:
        super().__init__(**params)
        self._on_sort = on_sort

    def _handle_msg(self, data: Any) -> None:
        if isinstance(data, dict):
            self._on_sort(str(data.get("sort", "")))


class ColumnChoice(JSComponent):
    """Which of the columns of a table are shown; the first always is."""

    columns = param.List(default=[], item_type=dict)
    hidden = param.List(default=[], item_type=str)

    _esm = _text("column_choice.js")
    _stylesheets: ClassVar[list[str]] = [_text("column_choice.css")]


class TraceTree(JSComponent):
    """The observations of one trace, depth first, with a timeline; `selected` follows clicks and the arrow keys."""

    tree = param.String(default="")
    selected = param.String(default="")
    duration = param.String(default="")

    _esm = _text("trace_tree.js")
    _stylesheets: ClassVar[list[str]] = [_text("trace_tree.css")]

    def show(self, tree: Tree) -> None:
        """Show these observations."""
        self.param.update(tree=tree.text, duration=formats.duration(tree.milliseconds))

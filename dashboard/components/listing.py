"""A table whose pages the server chooses, with what stands below it."""

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components import formats
from dashboard.components.widgets import ColumnChoice, DataTable
from dashboard.state import PAGE_SIZES, ListState

Column = dict[str, Any]
MAX_CHIPS = 3


class Listing:
    """One page of a list; order and page are in `wanted`.

    Args:
        wanted: the state of the list.
        columns: what `DataTable` takes; the sortable ones are those by which `wanted` can be sorted.
        noun: what is listed, in the plural.
        caption: the table's name for screen readers.
        is_selectable: whether rows, which then have an `id`, can be chosen.
    """

    def __init__(
        self, wanted: ListState, columns: Sequence[Column], *, noun: str, caption: str, is_selectable: bool = False
    ) -> None:
        self.wanted = wanted
        self.noun = noun
        self._sortable = wanted.param.sort.objects
        self.table = DataTable(
            on_sort=self._sort,
            columns=[{**column, "sortable": column["field"] in self._sortable} for column in columns],
            caption=caption, empty=f"No {noun} match these filters.", is_busy=True,
            is_selectable=is_selectable,
            sizing_mode="stretch_width", margin=0,
        )  # fmt: skip
        self.columns = ColumnChoice(columns=list(columns), margin=0)
        self.columns.link(self.table, hidden="hidden")
        self._show_columns()
        self.columns.param.watch(lambda event: setattr(wanted, "hidden", ",".join(event.new)), "hidden")
        wanted.param.watch(self._show_columns, "hidden")
        self.total = pmui.Typography("", variant="body2", margin=(8, 0), sizing_mode="stretch_width")
        self.pager = pmui.Pagination(count=1, value=0, margin=(4, 0))

    def view(self) -> pn.Column:
        """The table and its foot."""
        size = pmui.Select.from_param(
            self.wanted.param.size, label="Rows", options=list(PAGE_SIZES), width=90, size="small", margin=(0, 12)
        )
        self.pager.param.watch(lambda event: setattr(self.wanted, "page", event.new + 1), "value")
        foot = pn.Row(self.total, size, self.pager, sizing_mode="stretch_width", margin=(12, 0, 24, 0), align="center")
        return pn.Column(self.table, foot, sizing_mode="stretch_width", margin=(18, 0, 0, 0))

    def follow(self, load: Callable[[], Awaitable[None]], filters: Sequence[str]) -> Callable[..., Awaitable[None]]:
        """Load again whenever another page is wanted; what is returned begins at the first page."""

        async def reload(*_: object) -> None:
            self.table.is_busy = True
            await load()

        async def from_first_page(*_: object) -> None:
            if self.wanted.page == 1:
                await reload()
            else:
                self.wanted.page = 1

        self.wanted.param.watch(from_first_page, [*filters, "sort", "order", "size"])
        self.wanted.param.watch(reload, "page")
        return from_first_page

    def show(self, rows: list[dict[str, Any]], total: int) -> None:
        """Show one page of `total` rows."""
        wanted = self.wanted
        pages = max(1, math.ceil(total / wanted.size))
        first = (wanted.page - 1) * wanted.size
        shown = f"{first + 1:,}–{first + len(rows):,} of " if rows else ""
        self.total.object = f"{shown}{formats.count(total)} {self.noun}"
        # The pager's value must lie within its count at every moment, also between the two.
        chosen = min(wanted.page, pages) - 1
        if chosen < self.pager.count:
            self.pager.value = chosen
        self.pager.count = pages
        self.pager.value = chosen
        self.table.param.update(sort=wanted.sort, order=wanted.order, rows=rows, is_busy=False, selected=[])

    def _show_columns(self, *_: object) -> None:
        self.columns.hidden = [field for field in self.wanted.hidden.split(",") if field]

    def _sort(self, field: str) -> None:
        if not field or field not in self._sortable:
            return
        is_reversal = self.wanted.sort == field and self.wanted.order == "desc"
        self.wanted.param.update(sort=field, order="asc" if is_reversal else "desc")


def few(texts: list[str]) -> list[str]:
    """The first texts as chips, and how many more there are."""
    return texts if len(texts) <= MAX_CHIPS else [*texts[:MAX_CHIPS], f"+{len(texts) - MAX_CHIPS}"]

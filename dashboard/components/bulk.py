"""What can be done with the traces that are chosen in a table."""

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

import panel as pn
import panel_material_ui as pmui
import pyarrow as pa
from markupsafe import Markup
from pyarrow import csv

from dashboard.components import formats, panes
from dashboard.components.collecting import BUTTON, Collecting
from dashboard.components.widgets import DataTable
from dashboard.shell import PageContext
from dashboard.trace_changes import DELETION
from heliograph.domain.annotations import Annotated, AnnotatedType
from heliograph.domain.errors import HeliographError
from heliograph.flat_rows import flat, json_lines

EXPORTED = (
    "id", "timestamp", "name", "user_id", "session_id", "environment", "release", "version", "tags", "input", "output",
    "latency_ms", "total_tokens", "total_cost", "level", "observation_count", "metadata",
)  # fmt: skip


class BulkBar:
    """Shown while rows are chosen; each action is held against the user's role by the server.

    Args:
        context: of the page.
        table: whose rows are chosen.
        reload: shows the table anew.
    """

    def __init__(self, context: PageContext, table: DataTable, reload: Callable[[], Awaitable[None]]) -> None:
        self._context, self._table, self._reload = context, table, reload
        self._count, self._said = panes.html(), panes.html()
        self._collecting = Collecting(context, self._chosen, self._tell)
        self._delete = pmui.Button(label="Delete", icon="delete", color="error", **BUTTON)
        self._sure = pmui.Button(label="Delete for good", color="error", **{**BUTTON, "variant": "contained"})
        self._keep = pmui.Button(label="Keep", **BUTTON)
        self._actions = pn.Row(sizing_mode="stretch_width", margin=0, styles={"flex-wrap": "wrap", "gap": "10px"})
        self._bar = pn.Column(self._count, self._actions, sizing_mode="stretch_width", margin=(14, 0, 0, 0))
        self._bar.visible = False
        self._offered: list[Any] = []
        self._sure.on_click(self._remove)
        self._delete.on_click(self._ask)
        self._keep.on_click(self._show)
        table.param.watch(self._show, "selected")

    def view(self) -> pn.Column:
        """The bar, and what came of the last action."""
        return pn.Column(self._said, self._bar, sizing_mode="stretch_width", margin=0)

    async def offer(self) -> None:
        """Offer what the user's role allows, and what there is to choose from."""
        exports = [self._download("csv", "Export CSV"), self._download("jsonl", "Export JSON lines")]
        deletion = [self._delete] if await self._context.changes.may(DELETION) else []
        self._offered = [*await self._collecting.offered(), *exports, *deletion]
        self._show()

    def _chosen(self) -> list[Annotated]:
        return [Annotated(AnnotatedType.TRACE, trace_id) for trace_id in self._table.selected]

    def _download(self, kind: str, label: str) -> pmui.FileDownload:
        async def exported() -> BytesIO:
            return BytesIO(export(await self._context.queries.traces.chosen(self._table.selected), kind))

        return pmui.FileDownload(
            callback=exported, filename=f"traces.{kind}", label=label, embed=False, auto=True, **BUTTON
        )

    def _show(self, *_: object) -> None:
        chosen = len(self._table.selected)
        self._count.object = f'<p class="quiet" role="status">{formats.count(chosen)} chosen</p>'
        self._actions[:] = self._offered
        self._bar.visible = bool(chosen)
        if chosen:
            self._said.object = ""

    def _ask(self, *_: object) -> None:
        chosen = formats.count(len(self._table.selected))
        words = panes.html(f"<p>Delete {chosen} traces with their observations, scores and comments?</p>", width=420)
        self._actions[:] = [words, self._sure, self._keep]

    async def _remove(self, *_: object) -> None:
        chosen = list(self._table.selected)
        try:
            await self._context.changes.traces.delete(chosen)
        except HeliographError as error:
            self._tell(panes.refusal(str(error)))
            return
        await self._reload()
        self._tell(panes.success(f"{formats.count(len(chosen))} traces go with the next flush, within seconds."))

    def _tell(self, told: Markup) -> None:
        self._table.selected = []
        self._said.object = str(told)


def export(traces: pa.Table, kind: str) -> bytes:
    """Traces as `csv`, with lists and maps as JSON, or as `jsonl`, one object a line."""
    shown = traces.select(list(EXPORTED))
    if kind == "jsonl":
        return "".join(json_lines(shown)).encode()
    sink = BytesIO()
    csv.write_csv(flat(shown), sink)
    return sink.getvalue()

"""One trace: its observations as a tree with a timeline, and the details of the selected one."""

import asyncio
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from dashboard.components import details, formats, panes
from dashboard.components.tree import tree_rows
from dashboard.components.widgets import TraceTree
from dashboard.queries import WholeTrace
from dashboard.shell import PageContext, Shell
from dashboard.state import OpenTrace

HEIGHT = "calc(100vh - 190px)"
_PAPER = {
    "border": "1px solid",
    "borderColor": "divider",
    "borderRadius": "12px",
    "overflow": "auto",
    "p": "4px 20px 16px",
}


class TraceView:
    """View of one trace; which one, and which observation, is in `opened`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.opened = OpenTrace()
        self.shell = Shell(context, self.opened)
        self.heading = panes.html()
        self.tree = TraceTree(sizing_mode="stretch_both", margin=0)
        self.content, self.facts, self.scores = panes.html(), panes.html(), panes.html()
        self._whole: WholeTrace | None = None

    def page(self) -> pmui.Page:
        """The page."""
        tabs = pmui.Tabs(
            ("Input and output", self._scrolled(self.content)),
            ("Details", self._scrolled(self.facts)),
            ("Scores", self._scrolled(self.scores)),
            sizing_mode="stretch_width",
            margin=0,
        )
        paper = pmui.Paper(tabs, elevation=0, margin=0, sizing_mode="stretch_both", sx=_PAPER)
        left = pn.Column(self.tree, sizing_mode="stretch_both", margin=0, styles={"flex": "1.25 1 0", "min-width": "0"})
        right = pn.Column(paper, sizing_mode="stretch_both", margin=0, styles={"flex": "1 1 0", "min-width": "0"})
        split = pn.Row(
            left,
            right,
            sizing_mode="stretch_width",
            margin=(16, 0, 0, 0),
            styles={"gap": "14px", "height": HEIGHT, "min-height": "420px"},
        )
        self.shell.body[:] = [self.heading, split]
        self.tree.param.watch(self._select, "selected")
        return self.shell.page("Trace", self._load)

    async def _load(self) -> None:
        self._whole = await self.context.queries.trace(self.opened.trace)
        if self._whole is None:
            self.shell.body[:] = [panes.html(_missing(self.opened.trace))]
            return
        rows, length = await asyncio.to_thread(tree_rows, self._whole.observations)
        self.heading.object = str(details.trace_heading(_first(self._whole.trace)))
        known = {row["id"] for row in rows}
        selected = self.opened.observation if self.opened.observation in known else (rows[0]["id"] if rows else "")
        self.tree.param.update(rows=rows, duration=formats.duration(length))
        self.tree.selected = selected

    async def _select(self, *_: object) -> None:
        self.opened.observation = self.tree.selected
        await self.shell.guarded(self._show)()

    async def _show(self) -> None:
        wanted = self.tree.selected
        table = await self.context.queries.observation(self.opened.trace, wanted)
        if wanted != self.tree.selected or self._whole is None or table.num_rows == 0:
            return
        observation = _first(table)
        content = await asyncio.to_thread(details.observation_content, observation)
        self.content.object = str(content)
        self.facts.object = str(details.observation_facts(observation))
        scores = [score for score in self._whole.scores.to_pylist() if score["observation_id"] in {"", wanted}]
        self.scores.object = str(details.scores_content(scores))

    @staticmethod
    def _scrolled(pane: pn.pane.HTML) -> pn.Column:
        return pn.Column(pane, sizing_mode="stretch_width", margin=(16, 0, 0, 0))


def _first(table: Any) -> dict[str, Any]:
    return dict(table.slice(0, 1).to_pylist(maps_as_pydicts="lossy")[0])


def _missing(trace_id: str) -> Markup:
    return Markup(
        '<h2>No such trace</h2><p class="quiet">This project has no trace {}. It may have been deleted.</p>'
    ).format(trace_id or "without an id")

"""One trace: its observations as a tree with a timeline, and the details of the selected one."""

import asyncio
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from dashboard.changes import COMMENTS
from dashboard.components import details, panes
from dashboard.components.agent_graph import drawn, graph_of
from dashboard.components.collecting import BUTTON, Collecting
from dashboard.components.payload import Style
from dashboard.components.remarks import RemarkForm
from dashboard.components.tree import tree_of
from dashboard.components.widgets import TraceTree
from dashboard.model_calls import PLAYGROUND
from dashboard.queries.traces import WholeTrace
from dashboard.shell import PageContext, Shell
from dashboard.state import OpenPlayground, OpenPrompt, OpenTrace
from heliograph.domain.annotations import Annotated, AnnotatedType
from heliograph.domain.errors import HeliographError

HEIGHT = "calc(100vh - 240px)"
_PAPER = {
    "border": "1px solid",
    "borderColor": "divider",
    "borderRadius": "12px",
    "overflow": "auto",
    "p": "4px 20px 16px",
}
STYLES = {"Formatted": Style.FORMATTED, "JSON": Style.JSON, "Markdown": Style.MARKDOWN, "Plain": Style.PLAIN}


class TraceView:
    """View of one trace; which one, and which observation, is in `opened`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.opened = OpenTrace()
        self.shell = Shell(context, self.opened)
        self.heading = panes.html()
        self.said = panes.html()
        self.actions = pn.Row(
            sizing_mode="stretch_width", margin=(10, 0, 0, 0), styles={"flex-wrap": "wrap", "gap": "10px"}
        )
        self.about = pmui.RadioButtonGroup(
            options={"Trace": AnnotatedType.TRACE, "Observation": AnnotatedType.OBSERVATION},
            value=AnnotatedType.TRACE, size="small", margin=0,
        )  # fmt: skip
        self.collecting = Collecting(context, self._chosen, lambda told: setattr(self.said, "object", str(told)))
        self.playground = pmui.Button(label="Open in the playground", icon="science", visible=False, **BUTTON)
        self.tree = TraceTree(sizing_mode="stretch_both", margin=0)
        self.picture = pmui.RadioButtonGroup.from_param(
            self.opened.param.picture, options={"Tree": "", "Graph": "graph"}, size="small", margin=(0, 0, 10, 0)
        )
        self.graph = panes.html(visible=False)
        self.content, self.facts, self.scores = panes.html(), panes.html(), panes.html()
        self.style = pmui.RadioButtonGroup(options=STYLES, value=Style.FORMATTED, size="small", margin=(0, 0, 14, 0))
        self.remarks = RemarkForm(self._comment)
        self._whole: WholeTrace | None = None
        self._observation: dict[str, Any] | None = None

    def page(self) -> pmui.Page:
        """The page."""
        tabs = pmui.Tabs(
            ("Input and output", _scrolled(self.style, self.content)),
            ("Details", _scrolled(self.facts)),
            ("Scores", _scrolled(self.scores)),
            ("Comments", _scrolled(self.remarks.view())),
            sizing_mode="stretch_width",
            margin=0,
        )
        paper = pmui.Paper(tabs, elevation=0, margin=0, sizing_mode="stretch_both", sx=_PAPER)
        left = pn.Column(
            self.picture, self.tree, self.graph,
            sizing_mode="stretch_both", margin=0, styles={"flex": "1.25 1 0", "min-width": "0", "overflow": "auto"},
        )  # fmt: skip
        right = pn.Column(paper, sizing_mode="stretch_both", margin=0, styles={"flex": "1 1 0", "min-width": "0"})
        split = pn.Row(
            left,
            right,
            sizing_mode="stretch_width",
            margin=(16, 0, 0, 0),
            styles={"gap": "14px", "height": HEIGHT, "min-height": "420px"},
        )
        self.shell.body[:] = [self.heading, self.actions, self.said, split]
        self.opened.param.watch(self._change_picture, "picture")
        self.style.param.watch(self._render, "value")
        return self.shell.page("Trace", self._offer, first=self._load)

    async def _load(self) -> None:
        self._whole = await self.context.queries.traces.trace(self.opened.trace)
        if self._whole is None:
            self.shell.body[:] = [panes.html(_missing(self.opened.trace))]
            return
        tree = await asyncio.to_thread(tree_of, self._whole.observations)
        self.heading.object = str(details.trace_heading(_first(self._whole.trace)))
        wanted = self.opened.observation
        self.tree.show(tree)
        self.tree.selected = wanted if wanted in tree.ids else next(iter(tree.ids), "")
        self.tree.param.watch(self._select, "selected")
        await asyncio.gather(self._draw_picture(), self._show())

    async def _offer(self) -> None:
        if self._whole is None:
            return
        offered = await self.collecting.offered()
        self.actions[:] = [*([self.about, *offered] if offered else []), self.playground]
        self.remarks.may_write(await self.context.changes.may(COMMENTS))
        self.remarks.show(await self.context.queries.traces.remarks(self.opened.trace))

    async def _change_picture(self, *_: object) -> None:
        await self.shell.guarded(self._draw_picture)()

    async def _draw_picture(self) -> None:
        self.tree.visible, self.graph.visible = not self.opened.picture, bool(self.opened.picture)
        if self.opened.picture and self._whole is not None:
            graph = await asyncio.to_thread(graph_of, self._whole.observations)
            self.graph.object = str(drawn(graph, self._link))

    def _link(self, observation_id: str) -> str:
        opened = OpenTrace(trace=self.opened.trace, observation=observation_id)
        return f"/trace{self.shell.address.query(self.shell.scope)}&{opened.write()}"

    async def _select(self, *_: object) -> None:
        self.opened.observation = self.tree.selected
        await self.shell.guarded(self._show)()

    async def _show(self) -> None:
        wanted = self.tree.selected
        table = await self.context.queries.traces.observation(self.opened.trace, wanted)
        if wanted != self.tree.selected or self._whole is None or table.num_rows == 0:
            return
        self._observation = observation = _first(table)
        self.playground.param.update(
            visible=observation["type"] == "GENERATION" and await self.context.changes.may(PLAYGROUND),
            href=self._playground_of(wanted),
        )
        await self._render()
        self.facts.object = str(details.observation_facts(observation, self._prompt_of(observation)))
        scores = [score for score in self._whole.scores.to_pylist() if score["observation_id"] in {"", wanted}]
        self.scores.object = str(details.scores_content(scores))

    async def _render(self, *_: object) -> None:
        if self._observation is not None:
            content = await asyncio.to_thread(details.observation_content, self._observation, self.style.value)
            self.content.object = str(content)

    def _prompt_of(self, observation: dict[str, Any]) -> str:
        opened = OpenPrompt(prompt=observation["prompt_name"], version=observation["prompt_version"] or 0)
        return f"/prompt{self.shell.address.query(self.shell.scope)}&{opened.write()}"

    def _playground_of(self, observation_id: str) -> str:
        opened = OpenPlayground(trace=self.opened.trace, observation=observation_id)
        return f"/playground{self.shell.address.query(self.shell.scope)}&{opened.write()}"

    def _chosen(self) -> list[Annotated]:
        """What goes into a dataset or a queue: the trace, or the observation that is selected."""
        is_trace = self.about.value is AnnotatedType.TRACE
        return [Annotated(self.about.value, self.opened.trace if is_trace else self.tree.selected)]

    async def _comment(self, text: str) -> None:
        try:
            await self.context.changes.comment_on_trace(self.opened.trace, text)
        except HeliographError as error:
            self.remarks.refuse(str(error))
            return
        self.remarks.show(await self.context.queries.traces.remarks(self.opened.trace))


def _scrolled(*parts: Any) -> pn.Column:
    return pn.Column(*parts, sizing_mode="stretch_width", margin=(16, 0, 0, 0))


def _first(table: Any) -> dict[str, Any]:
    return dict(table.slice(0, 1).to_pylist(maps_as_pydicts="lossy")[0])


def _missing(trace_id: str) -> Markup:
    return Markup(
        '<h2>No such trace</h2><p class="quiet">This project has no trace {}. It may have been deleted.</p>'
    ).format(trace_id or "without an id")

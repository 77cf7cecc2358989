"""A trace beside something else: its tree, and below it the input and output of the selected observation."""

import asyncio

import panel as pn

from dashboard.components import details, panes
from dashboard.components.tree import EMPTY, tree_of
from dashboard.components.widgets import TraceTree
from dashboard.queries.traces import TraceQueries
from heliograph.domain.plain_rows import plain_rows


class TraceExcerpt:
    """Shows one trace at a time; what belongs to it is read when it is shown."""

    def __init__(self, queries: TraceQueries) -> None:
        self._queries = queries
        self._tree = TraceTree(sizing_mode="stretch_width", height=280, margin=0)
        self._content = panes.html(margin=(12, 0, 0, 0))
        self._trace_id = ""
        self._tree.param.watch(self._select, "selected")

    def view(self) -> pn.Column:
        """The tree with what is selected below it."""
        return pn.Column(self._tree, self._content, sizing_mode="stretch_width", margin=(14, 0, 0, 0))

    async def show(self, trace_id: str, observation_id: str = "") -> None:
        """Show a trace with one of its observations, or the first, selected; nothing for ''."""
        if trace_id == self._trace_id:
            return
        self._trace_id = trace_id
        whole = await self._queries.trace(trace_id) if trace_id else None
        tree = await asyncio.to_thread(tree_of, whole.observations) if whole else EMPTY
        self._content.object = ""
        self._tree.show(tree)
        self._tree.selected = observation_id or next(iter(tree.ids), "")

    async def _select(self, *_: object) -> None:
        trace_id, wanted = self._trace_id, self._tree.selected
        if not wanted:
            return
        table = await self._queries.observation(trace_id, wanted)
        if table.num_rows and (trace_id, wanted) == (self._trace_id, self._tree.selected):
            observation = next(iter(plain_rows(table)))
            self._content.object = str(await asyncio.to_thread(details.observation_content, observation))

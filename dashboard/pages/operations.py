"""How the stack is doing, and the work that a project waits for; only for its admins."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from dashboard.components import operations, panes
from dashboard.mandate import ADMINISTRATION
from dashboard.queries.evaluations import WatchedRun
from dashboard.queries.rules import CountedRule
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import ListState
from heliograph.domain.errors import Unavailable
from heliograph.domain.evaluation_runs import RunState

LOOK_MILLISECONDS = 5_000
MOST_RUNS = 50
_ROW = {"gap": "12px", "align-items": "center", "flex-wrap": "nowrap"}
_TITLES = (
    "Ingestion",
    "Judge queue",
    "Work over what is stored",
    "Runs and their budgets",
    "Providers",
    "Dead letters",
)


class OperationsView:
    """View of what is under way; it looks again every few seconds."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.shell = Shell(context)
        self._link = self.shell.address.query(self.shell.scope)
        self._panes = {title: panes.html(margin=(6, 0, 8, 0)) for title in _TITLES}
        self._blocked = pn.Column(sizing_mode="stretch_width", margin=0)
        self._said = panes.html()
        # What is blocked by now: its buttons are made anew only when that changes.
        self._blocks: Sequence[str] = ()

    def page(self) -> pmui.Page:
        """The page."""
        return self.shell.page("Operations", self._open)

    async def _open(self) -> None:
        if not await self.context.changes.may(ADMINISTRATION):
            self.shell.body[:] = [panes.html(operations.NOT_ALLOWED)]
            return
        self.shell.controls[:] = [panes.html(operations.way_between(self.context.path, self._link))]
        await self._look()
        beside = {"Judge queue": [self._said, self._blocked]}
        cards = [panes.card(title, pane, *beside.get(title, [])) for title, pane in self._panes.items()]
        self.shell.body[:] = [pn.Column(*cards, sizing_mode="stretch_width", margin=(14, 0, 24, 0), styles=panes.GRID)]
        pn.state.add_periodic_callback(self.shell.guarded(self._look), period=LOOK_MILLISECONDS)

    async def _look(self) -> None:
        queries, link = self.context.queries, self._link
        backlog, rules, works, runs, paces = await asyncio.gather(
            queries.operations.backlog(), queries.rules.page(ListState(size=100)), queries.operations.works(),
            queries.evaluations.open(MOST_RUNS), self._paces(),
        )  # fmt: skip
        shown = (
            operations.backlog(backlog, link),
            operations.judge_queue(rules.rules, link),
            operations.works(works),
            operations.budgets(runs, link),
            paces,
            operations.dead_letters(backlog, rules.rules, runs, link=link),
        )
        for title, markup in zip(_TITLES, shown, strict=True):
            self._panes[title].object = str(markup)
        self._show_blocked(
            [one for one in rules.rules if one.rule.status == "paused"],
            [one for one in runs if one.run.state is RunState.BLOCKED],
        )

    async def _paces(self) -> Markup:
        try:
            return operations.paces(await self.context.changes.connections.paces())
        except Unavailable as error:
            return panes.refusal(str(error))

    def _show_blocked(self, rules: Sequence[CountedRule], runs: Sequence[WatchedRun]) -> None:
        blocks = [*(one.rule.id for one in rules), *(one.run.id for one in runs)]
        if blocks == self._blocks:
            return
        self._blocks = blocks
        changes = self.context.changes

        async def resume_rule(rule_id: str) -> None:
            await changes.rules.enable(rule_id, is_enabled=True)

        async def resume_run(run_id: str) -> None:
            await changes.evaluations.turn(run_id, RunState.RUNNING)

        self._blocked[:] = [
            *(self._row(operations.blocked_rule(one, self._link), one.rule.id, resume_rule) for one in rules),
            *(self._row(operations.blocked_run(one, self._link), one.run.id, resume_run) for one in runs),
        ]

    def _row(self, told: Markup, blocked_id: str, resume: Callable[[str], Awaitable[None]]) -> pn.Row:
        async def clear() -> None:
            await resume(blocked_id)
            await self._look()

        button = pmui.Button(label="Clear and resume", icon="play_arrow", variant="outlined", margin=0, sx=FIELD)
        button.on_click(panes.telling(self._said, clear))
        return pn.Row(panes.html(told), button, sizing_mode="stretch_width", margin=(0, 0, 8, 0), styles=_ROW)

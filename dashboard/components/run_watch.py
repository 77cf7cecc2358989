"""An evaluation run as it goes on: how far it is, what it spends, what fails, and the buttons that steer it."""

from collections.abc import Awaitable, Callable

import panel as pn
import panel_material_ui as pmui

from dashboard.components import panes, runs
from dashboard.components.fields import number
from dashboard.components.listing import Listing
from dashboard.queries.evaluations import WatchedRun
from dashboard.shell import FIELD, PageContext
from dashboard.state import OpenRun
from heliograph.domain.evaluation_runs import RunState

COLUMNS = [
    {"field": "target", "title": "Target", "kind": "strong"},
    {"field": "evaluator", "title": "Evaluator"},
    {"field": "cause", "title": "Cause"},
    {"field": "reason", "title": "Reason"},
]
LOOK_MILLISECONDS = 1_000
Load = Callable[[], Awaitable[None]]


class RunWatch:
    """One run.

    Args:
        context: of the page.
        opened: which run, and the page of its failures.
        guarded: has what fails told on the page.
    """

    def __init__(self, context: PageContext, opened: OpenRun, guarded: Callable[[Load], Load]) -> None:
        self._context, self._opened, self._guarded = context, opened, guarded
        self._said, self._head = panes.html(margin=(8, 0)), panes.html(margin=(14, 0, 0, 0))
        self._figures, self._scores, self._causes = panes.html(margin=(12, 0)), panes.html(), panes.html()
        self._listing = Listing(opened, COLUMNS, noun="failures", caption="Failures of the run")
        self._listing.follow(guarded(self._show_failures), [])
        self._failures = pn.Column(sizing_mode="stretch_width", margin=0)
        self._budget = pmui.TextInput(label="New budget, US dollars", width=190, size="small", margin=0, sx=FIELD)
        self._buttons = {
            "resume": self._button("Resume", "play_arrow", self._resume),
            "pause": self._button("Pause", "pause", lambda: self._turn(RunState.PAUSED)),
            "retry": self._button("Retry what failed", "replay", self._retry),
            "cancel": self._button("Cancel", "stop", lambda: self._turn(RunState.CANCELLED)),
        }
        self._steering = pn.Row(
            *self._buttons.values(), self._budget, sizing_mode="stretch_width", margin=(10, 0, 0, 0),
            styles={"flex-wrap": "wrap", "gap": "10px"},
        )  # fmt: skip
        self._link = ""
        self._watched: WatchedRun | None = None

    async def view(self, link: str, *, may_steer: bool) -> pn.Column:
        """The run; raises EvaluationRunNotFound."""
        self._link = link
        watched = await self._context.queries.evaluations.run(self._opened.run)
        tabs = pmui.Tabs(
            ("Scores", self._scores),
            ("Failures", pn.Column(self._causes, self._failures, sizing_mode="stretch_width", margin=0)),
            ("What was asked", panes.html(runs.asked(watched.run), margin=(14, 0))),
            ("Estimate", panes.html(runs.estimate(watched.run.estimate), margin=(4, 0))),
            sizing_mode="stretch_width", margin=(6, 0, 24, 0),
        )  # fmt: skip
        await self._show(watched)
        pn.state.add_periodic_callback(self._guarded(self._look), period=LOOK_MILLISECONDS)
        steering = [self._steering] if may_steer else []
        parts = [self._head, *steering, self._said, self._figures, tabs]
        return pn.Column(*parts, sizing_mode="stretch_width", margin=0)

    def _button(self, label: str, icon: str, act: Load) -> pmui.Button:
        button = pmui.Button(label=label, icon=icon, variant="outlined", margin=0, sx=FIELD)
        button.on_click(panes.telling(self._said, act))
        return button

    async def _look(self) -> None:
        """How far it is by now; a run that has ended changes only by a button."""
        if self._watched is None or self._watched.run.state not in runs.ENDED:
            await self._reload()

    async def _reload(self) -> None:
        await self._show(await self._context.queries.evaluations.run(self._opened.run))

    async def _show(self, watched: WatchedRun) -> None:
        failed_before = self._watched.progress.report.count("failed") if self._watched else -1
        self._watched = watched
        self._head.object = str(runs.heading(watched))
        self._figures.object = str(runs.figures(watched))
        self._scores.object = str(runs.by_score(watched))
        self._causes.object = str(runs.causes(watched.progress.report.causes))
        self._offer(watched)
        if watched.progress.report.count("failed") != failed_before:
            await self._show_failures()

    async def _show_failures(self) -> None:
        if self._watched is None:
            return
        total = self._watched.progress.report.count("failed")
        found = await self._context.queries.evaluations.failures(self._opened.run, self._opened)
        self._failures[:] = [self._listing.view()] if total else []
        self._listing.show([runs.failure_row(one, self._link) for one in found], total)

    def _offer(self, watched: WatchedRun) -> None:
        state, failed = watched.run.state, watched.progress.report.count("failed")
        stands = state in {RunState.PLANNED, RunState.PAUSED, RunState.BLOCKED}
        self._buttons["resume"].visible = stands
        self._budget.visible = stands and watched.run.asked.budget_usd is not None
        self._buttons["pause"].visible = state is RunState.RUNNING
        self._buttons["cancel"].visible = state not in runs.ENDED
        self._buttons["retry"].visible = bool(failed) and state is not RunState.RUNNING

    async def _resume(self) -> None:
        text = self._budget.value_input.strip()
        await self._turn(RunState.RUNNING, number(text, "budget") if text else None)
        self._budget.param.update(value="", value_input="")

    async def _turn(self, state: RunState, budget_usd: float | None = None) -> None:
        await self._context.changes.evaluations.turn(self._opened.run, state, budget_usd)
        await self._reload()

    async def _retry(self) -> None:
        await self._context.changes.evaluations.retry(self._opened.run)
        await self._reload()

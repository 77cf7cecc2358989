"""One evaluation run: put together with its estimate, then watched and steered while it is carried out."""

import panel_material_ui as pmui

from dashboard.components import evaluation, panes
from dashboard.components.run_draft import RunDrafting
from dashboard.components.run_watch import RunWatch
from dashboard.evaluation_changes import RUNS
from dashboard.shell import PageContext, Shell
from dashboard.state import OpenRun, RunDraft


class RunView:
    """View of one run, or of a new one; which is in `opened`, what a new one is to be in `draft`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.opened, self.draft = OpenRun(), RunDraft()
        self.shell = Shell(context, self.opened, self.draft)
        self.watch = RunWatch(context, self.opened, self.shell.guarded)

    def page(self) -> pmui.Page:
        """The page."""
        return self.shell.page("Evaluation run", self._load)

    async def _load(self) -> None:
        link = self.shell.address.query(self.shell.scope)
        self.shell.controls[:] = [panes.html(evaluation.way_between("/runs", link))]
        may_change = await self.context.changes.may(RUNS)
        if self.opened.run:
            self.shell.body[:] = [await self.watch.view(link, may_steer=may_change)]
        elif may_change:
            offers = await self.context.changes.models.offers()
            drafting = RunDrafting(self.context, self.draft, offers, link=link, started=self._started)
            self.shell.body[:] = [drafting.view()]
            await drafting.begin()
        else:
            self.shell.body[:] = [panes.html(evaluation.NOT_ALLOWED)]

    async def _started(self, run_id: str) -> None:
        self.draft.clear()
        self.opened.run = run_id
        await self.shell.guarded(self._load)()

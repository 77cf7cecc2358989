"""The evaluation runs of a project, and how far each is."""

import panel as pn
import panel_material_ui as pmui

from dashboard.components import evaluation, panes, runs
from dashboard.components.listing import Listing
from dashboard.evaluation_changes import RUNS
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import ListState
from heliograph.domain.evaluation_runs import RunState

COLUMNS = [
    {"field": "name", "title": "Name", "kind": "strong"},
    {"field": "state", "title": "State", "kind": "chips"},
    {"field": "done", "title": "Done", "align": "right"},
    {"field": "scored", "title": "Scored", "align": "right"},
    {"field": "failed", "title": "Failed", "align": "right"},
    {"field": "spent", "title": "Spent", "align": "right"},
    {"field": "budget", "title": "Budget", "align": "right"},
    {"field": "created_at", "title": "Asked for (UTC)"},
]
LOOK_MILLISECONDS = 3_000


class RunTable:
    """View of the runs of a project; which page of them is in `wanted`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.wanted = ListState()
        self.shell = Shell(context, self.wanted)
        self.listing = Listing(self.wanted, COLUMNS, noun="runs", caption=f"Evaluation runs of {context.project.name}")
        self.empty = pn.Column(sizing_mode="stretch_width", max_width=720, margin=(20, 0))
        self._is_moving = False

    def page(self) -> pmui.Page:
        """The page."""
        self.shell.body[:] = [self.listing.view()]
        self.listing.follow(self.shell.guarded(self._load), [])
        return self.shell.page("Evaluation runs", self._open)

    async def _open(self) -> None:
        await self._load()
        pn.state.add_periodic_callback(self.shell.guarded(self._look), period=LOOK_MILLISECONDS)

    async def _look(self) -> None:
        if self._is_moving:
            await self._load()

    async def _load(self) -> None:
        link = self.shell.address.query(self.shell.scope)
        fresh = pmui.Button(label="New run", icon="add", href=f"/run{link}", variant="outlined", margin=0, sx=FIELD)
        actions = [fresh] if await self.context.changes.may(RUNS) else []
        way = panes.html(evaluation.way_between(self.context.path, link), margin=(0, 0, 12, 0))
        found = await self.context.queries.evaluations.page(self.wanted)
        self._is_moving = any(one.run.state is RunState.RUNNING for one in found.runs)
        if not self.shell.controls:
            self.shell.controls[:] = [way, *(actions if found.total else [])]
        if not found.total:
            self.shell.body[:] = [
                pn.Column(
                    panes.html(runs.NONE_YET), *actions, sizing_mode="stretch_width", max_width=720, margin=(20, 0)
                )
            ]
            return
        self.listing.show([runs.row(one, link) for one in found.runs], found.total)

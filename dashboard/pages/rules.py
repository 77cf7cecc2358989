"""The evaluation rules of a project, and what came of each."""

import panel as pn
import panel_material_ui as pmui

from dashboard.components import evaluation, panes, rules
from dashboard.components.listing import Listing
from dashboard.evaluation_changes import RUNS
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import ListState

COLUMNS = [
    {"field": "name", "title": "Name", "kind": "strong"},
    {"field": "state", "title": "State", "kind": "chips"},
    {"field": "target", "title": "Target"},
    {"field": "evaluators", "title": "Evaluators", "kind": "chips"},
    {"field": "sample", "title": "Sample", "align": "right"},
    {"field": "matched", "title": "Matched", "align": "right"},
    {"field": "judged", "title": "Judged", "align": "right"},
    {"field": "failed", "title": "Failed", "align": "right"},
]
LOOK_MILLISECONDS = 3_000


class RuleTable:
    """View of the rules of a project; which page of them is in `wanted`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.wanted = ListState()
        self.shell = Shell(context, self.wanted)
        self.listing = Listing(self.wanted, COLUMNS, noun="rules", caption=f"Rules of {context.project.name}")
        self._is_moving = False

    def page(self) -> pmui.Page:
        """The page."""
        self.shell.body[:] = [self.listing.view()]
        self.listing.follow(self.shell.guarded(self._load), [])
        return self.shell.page("Evaluation rules", self._open)

    async def _open(self) -> None:
        await self._load()
        pn.state.add_periodic_callback(self.shell.guarded(self._look), period=LOOK_MILLISECONDS)

    async def _look(self) -> None:
        if self._is_moving:
            await self._load()

    async def _load(self) -> None:
        link = self.shell.address.query(self.shell.scope)
        fresh = pmui.Button(label="New rule", icon="add", href=f"/rule{link}", variant="outlined", margin=0, sx=FIELD)
        actions = [fresh] if await self.context.changes.may(RUNS) else []
        way = panes.html(evaluation.way_between(self.context.path, link), margin=(0, 0, 12, 0))
        found = await self.context.queries.rules.page(self.wanted)
        self._is_moving = any(one.rule.status == "active" for one in found.rules)
        if not self.shell.controls:
            self.shell.controls[:] = [way, *(actions if found.total else [])]
        if found.total:
            self.listing.show([rules.row(one, link) for one in found.rules], found.total)
        else:
            empty = pn.Column(panes.html(rules.NONE_YET), *actions, sizing_mode="stretch_width", max_width=720)
            empty.margin = (20, 0)
            self.shell.body[:] = [empty]

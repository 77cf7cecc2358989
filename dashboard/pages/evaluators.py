"""The evaluators of a project, and the catalogue from which it can choose."""

import asyncio
from collections.abc import Sequence

import panel as pn
import panel_material_ui as pmui

from dashboard.components import evaluation, evaluators, panes
from dashboard.components.widgets import DataTable
from dashboard.evaluator_changes import EVALUATORS
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import EvaluatorShelf, OpenEvaluator
from evals.catalogue import Entry, entries
from heliograph.domain.project_evaluators import EvaluatorType, ProjectEvaluator

OWN_COLUMNS = [
    {"field": "name", "title": "Name", "kind": "strong"},
    {"field": "kind", "title": "Kind"},
    {"field": "version", "title": "Version", "align": "right"},
    {"field": "gives", "title": "Gives"},
    {"field": "inputs", "title": "Variables", "kind": "chips"},
    {"field": "model", "title": "Model"},
    {"field": "rules", "title": "Rules", "align": "right"},
    {"field": "updated_at", "title": "Changed (UTC)"},
]
COLUMNS = [
    {"field": "name", "title": "Name", "kind": "strong"},
    {"field": "kind", "title": "Kind"},
    {"field": "summary", "title": "What it says", "kind": "wide"},
    {"field": "inputs", "title": "Inputs", "kind": "chips"},
    {"field": "values", "title": "Gives"},
    {"field": "source", "title": "Source"},
]
KINDS = {"Any kind": "", "Judge": "judge", "Heuristic": "heuristic", "Embedding": "embedding", "Code": "code"}
_LOOK = {"size": "small", "margin": (0, 12, 0, 0), "sx": FIELD}


class EvaluatorTable:
    """View of all evaluators; which are wanted is in `wanted`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.wanted = EvaluatorShelf()
        self.shell = Shell(context, self.wanted)
        self.own_table = self._table(OWN_COLUMNS, f"Evaluators of {context.project.name}")
        self.table = self._table(COLUMNS, "Catalogue of evaluators")
        self.own_card, self.card = (
            pn.Column(sizing_mode="stretch_width", margin=0),
            pn.Column(sizing_mode="stretch_width", margin=(16, 0, 24, 0)),
        )
        self._own: Sequence[ProjectEvaluator] = ()
        self._entries: Sequence[Entry] = ()

    def page(self) -> pmui.Page:
        """The page."""
        self.wanted.param.watch(self._show, ["named", "kind"])
        return self.shell.page("Evaluators", self._load)

    def _table(self, columns: list[dict[str, str]], caption: str) -> DataTable:
        return DataTable(
            on_sort=lambda _: None, columns=columns, caption=caption, sizing_mode="stretch_width", margin=(10, 0, 8, 0)
        )

    async def _load(self) -> None:
        link = self.shell.address.query(self.shell.scope)
        self._own, self._entries = await asyncio.gather(
            self.context.queries.evaluators.own(), asyncio.to_thread(entries)
        )
        named = pmui.TextInput.from_param(self.wanted.param.named, label="Search evaluators", width=240, **_LOOK)
        kind = pmui.Select.from_param(self.wanted.param.kind, label="Kind", options=KINDS, width=150, **_LOOK)
        way = panes.html(evaluation.way_between(self.context.path, link), margin=(0, 0, 12, 0))
        may_change = await self.context.changes.may(EVALUATORS)
        self.shell.controls[:] = [way, named, kind, *(self._buttons(link) if may_change else [])]
        self._show()
        self.shell.body[:] = [pn.Column(self.own_card, self.card, sizing_mode="stretch_width", margin=(18, 0, 0, 0))]

    def _buttons(self, link: str) -> list[pmui.Button]:
        return [
            pmui.Button(
                label=label, icon="add", href=f"/evaluator{link}&{OpenEvaluator(type=type_).write()}",
                variant="outlined", margin=(0, 12, 0, 0), sx=FIELD,
            )
            for label, type_ in (("New judge", EvaluatorType.LLM_AS_JUDGE), ("New code", EvaluatorType.CODE))
        ]  # fmt: skip

    def _show(self, *_: object) -> None:
        link, text, kind = self.shell.address.query(self.shell.scope), self.wanted.named, self.wanted.kind
        own = [evaluators.own_row(each, link) for each in self._own if text.lower() in each.name.lower()]
        found = [evaluators.entry_row(each, link) for each in self._entries if evaluators.matches(each, text)]
        self.own_table.rows = [row for row in own if kind in {"", row["kind"]}]
        self.table.rows = [row for row in found if kind in {"", row["kind"]}]
        self.own_card[:] = [
            panes.card("Evaluators of this project", self.own_table if self._own else panes.html(evaluators.NONE_OWN))
        ]
        count = f"Catalogue: {len(self.table.rows)} of {len(self._entries)}"
        self.card[:] = [panes.card(count, self.table if self.table.rows else panes.html(evaluators.NOTHING_FOUND))]

"""The prompts of a project in their folders."""

from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components import formats, panes
from dashboard.components.folders import inside, path_of
from dashboard.components.widgets import DataTable
from dashboard.queries.prompts import PromptShelf
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import OpenPrompt, PromptFolder

COLUMNS = [
    {"field": "name", "title": "Name", "kind": "strong"},
    {"field": "type", "title": "Type"},
    {"field": "versions", "title": "Versions", "align": "right"},
    {"field": "labels", "title": "Labels", "kind": "chips"},
    {"field": "tags", "title": "Tags", "kind": "chips"},
    {"field": "uses", "title": "Observations", "align": "right"},
    {"field": "updated_at", "title": "Changed (UTC)"},
]
EXAMPLE = """\
from langfuse import get_client

get_client().create_prompt(name="answers/greeting", prompt="Greet {{name}} kindly.", labels=["production"])
"""


class PromptShelfView:
    """View of the prompts in one folder, or of all whose names contain a text; both are in `opened`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.opened = PromptFolder()
        self.shell = Shell(context, self.opened)
        self.way = panes.html(margin=(14, 0, 0, 0))
        self.table = DataTable(
            on_sort=lambda _: None, columns=COLUMNS, caption=f"Prompts of {context.project.name}",
            empty="No prompt here.", sizing_mode="stretch_width", margin=(10, 0, 24, 0),
        )  # fmt: skip
        self._shelf = PromptShelf([], {})

    def page(self) -> pmui.Page:
        """The page."""
        named = pmui.TextInput.from_param(
            self.opened.param.named, label="Name contains", width=220, size="small", margin=(0, 12, 0, 0), sx=FIELD
        )
        period, _ = self.shell.scope_controls()
        fresh = pmui.Button(
            label="New prompt",
            icon="add",
            href=f"/prompt{self.shell.bar.query}",
            variant="outlined",
            margin=0,
            sx=FIELD,
        )
        self.shell.controls[:] = [period, named, fresh]
        self.shell.scope.param.watch(self._reload, "range")
        self.opened.param.watch(self._show, ["named", "folder"])
        return self.shell.page("Prompts", self._load)

    async def _reload(self, *_: object) -> None:
        await self.shell.guarded(self._load)()

    async def _load(self) -> None:
        self._shelf = await self.context.queries.prompts.shelf(self.shell.scope.period())
        if self._shelf.prompts:
            self.shell.body[:] = [pn.Column(self.way, self.table, sizing_mode="stretch_width", margin=0)]
            self._show()
        else:
            words = (
                "Prompts are kept in versions; labels say which of them an application gets. Make the first one here:"
            )
            self.shell.body[:] = [panes.snippet("No prompts yet", words, EXAMPLE)]

    def _show(self, *_: object) -> None:
        link = self.shell.address.query(self.shell.scope)
        folder, text = self.opened.folder, self.opened.named.lower()
        names = [prompt.name for prompt in self._shelf.prompts]
        folders, own = inside(folder, names) if not text else ([], [name for name in names if text in name.lower()])
        steps = [(name, f"/prompts{link}&{PromptFolder(folder=path).write()}") for name, path in path_of(folder)]
        self.way.object = str(panes.way([("Prompts", f"/prompts{link}"), *steps])) if not text else ""
        held = [self._folder_row(path, count, link) for path, count in folders]
        shown = dict.fromkeys(own)
        rows = [self._row(prompt, link) for prompt in self._shelf.prompts if prompt.name in shown]
        self.table.rows = [*held, *rows]

    def _folder_row(self, path: str, count: int, link: str) -> dict[str, Any]:
        return {
            "href": f"/prompts{link}&{PromptFolder(folder=path).write()}",
            "name": f"{path.rpartition('/')[2]}/",
            "type": "folder",
            "versions": f"{count:,} {'prompt' if count == 1 else 'prompts'}",
            "labels": [], "tags": [], "uses": "", "updated_at": "",
        }  # fmt: skip

    def _row(self, prompt: Any, link: str) -> dict[str, Any]:
        return {
            "href": f"/prompt{link}&{OpenPrompt(prompt=prompt.name).write()}",
            "name": prompt.name if self.opened.named else prompt.name.rpartition("/")[2],
            "type": prompt.type,
            "versions": formats.count(len(prompt.versions)),
            "labels": list(prompt.labels),
            "tags": list(prompt.tags),
            "uses": formats.count(self._shelf.uses.get(prompt.name, 0)),
            "updated_at": formats.moment(prompt.last_updated_at),
        }

"""One dataset: its items, the versions of one of them, and the runs over it."""

import asyncio
from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components import datasets, formats, panes
from dashboard.components.listing import Listing
from dashboard.shell import PageContext, Shell
from dashboard.state import OpenDataset
from heliograph.domain.datasets import DatasetItem

COLUMNS = [
    {"field": "id", "title": "Item"},
    {"field": "input", "title": "Input"},
    {"field": "expected", "title": "Expected output"},
    {"field": "metadata", "title": "Metadata"},
    {"field": "status", "title": "Status"},
    {"field": "source", "title": "From trace"},
    {"field": "valid_from", "title": "This version since (UTC)"},
]


class DatasetView:
    """View of one dataset; which, and which of its items, is in `opened`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.opened = OpenDataset()
        self.shell = Shell(context, self.opened)
        self.listing = Listing(self.opened, COLUMNS, noun="items", caption=f"Items of {self.opened.dataset}")

    def page(self) -> pmui.Page:
        """The page."""
        self.listing.follow(self.shell.guarded(self._load_items), [])
        return self.shell.page(self.opened.dataset or "Dataset", self._load)

    async def _load(self) -> None:
        dataset = await self.context.queries.datasets.dataset(self.opened.dataset)
        link = self.shell.address.query(self.shell.scope)
        if self.opened.item:
            versions = await self.context.queries.datasets.item_versions(self.opened.item)
            back = f"/dataset{link}&{OpenDataset(dataset=dataset.name).write()}"
            content = datasets.item_content(versions, link, self.context.project.id)
            way = panes.html(
                panes.way([("Datasets", f"/datasets{link}"), (dataset.name, back), (self.opened.item, "")])
            )
            self.shell.body[:] = [
                way,
                pn.Column(panes.paper(panes.html(content)), sizing_mode="stretch_width", margin=(14, 0, 24, 0)),
            ]
            return
        runs, _ = await asyncio.gather(self.context.queries.datasets.runs(dataset), self._load_items())
        tabs = pmui.Tabs(
            ("Items", self.listing.view()),
            (f"Runs ({len(runs)})", panes.html(datasets.runs_content(runs), margin=(16, 0, 0, 0))),
            ("Schemas", panes.html(datasets.schemas_content(dataset), margin=(16, 0, 0, 0))),
            sizing_mode="stretch_width", margin=(14, 0, 0, 0),
        )  # fmt: skip
        self.shell.body[:] = [panes.html(datasets.heading(dataset)), tabs]

    async def _load_items(self) -> None:
        found = await self.context.queries.datasets.items(self.opened.dataset, self.opened)
        link = self.shell.address.query(self.shell.scope)
        self.listing.show([_row(item, link) for item in found.items], found.total)


def _row(item: DatasetItem, link: str) -> dict[str, Any]:
    return {
        "href": f"/dataset{link}&{OpenDataset(dataset=item.dataset_name, item=item.id).write()}",
        "id": item.id,
        "input": datasets.preview(item.input),
        "expected": datasets.preview(item.expected_output),
        "metadata": datasets.preview(item.metadata),
        "status": item.status.lower(),
        "source": item.source_trace_id or "",
        "valid_from": formats.moment(item.valid_from),
    }

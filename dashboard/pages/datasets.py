"""The table of datasets."""

import panel_material_ui as pmui

from dashboard.components import formats, panes
from dashboard.components.listing import Listing
from dashboard.shell import PageContext, Shell
from dashboard.state import ListState, OpenDataset

COLUMNS = [
    {"field": "name", "title": "Name", "kind": "strong"},
    {"field": "description", "title": "Description"},
    {"field": "items", "title": "Items", "align": "right"},
    {"field": "schemas", "title": "Schemas", "kind": "chips"},
    {"field": "created_at", "title": "Created (UTC)"},
    {"field": "updated_at", "title": "Changed (UTC)"},
]
EXAMPLE = """\
from langfuse import get_client

langfuse = get_client()
langfuse.create_dataset(name="questions")
langfuse.create_dataset_item(dataset_name="questions", input={"question": "2 + 2?"}, expected_output="4")
"""


class DatasetTable:
    """View of the datasets of a project; which page of them is in `wanted`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.wanted = ListState()
        self.shell = Shell(context, self.wanted)
        self.listing = Listing(self.wanted, COLUMNS, noun="datasets", caption=f"Datasets of {context.project.name}")

    def page(self) -> pmui.Page:
        """The page."""
        self.shell.body[:] = [self.listing.view()]
        self.listing.follow(self.shell.guarded(self._load), [])
        return self.shell.page("Datasets", self._load)

    async def _load(self) -> None:
        found = await self.context.queries.datasets.page(self.wanted)
        if not found.total:
            words = (
                "Datasets hold the inputs on which experiments run, and what is expected of each. Make the first one:"
            )
            self.shell.body[:] = [panes.snippet("No datasets yet", words, EXAMPLE)]
            return
        link = self.shell.address.query(self.shell.scope)
        rows = [
            {
                "href": f"/dataset{link}&{OpenDataset(dataset=dataset.name).write()}",
                "name": dataset.name,
                "description": dataset.description or "",
                "items": formats.count(found.items.get(dataset.id, 0)),
                "schemas": [
                    name
                    for name, schema in (("input", dataset.input_schema), ("expected", dataset.expected_output_schema))
                    if schema is not None
                ],
                "created_at": formats.moment(dataset.created_at),
                "updated_at": formats.moment(dataset.updated_at),
            }
            for dataset in found.datasets
        ]
        self.listing.show(rows, found.total)

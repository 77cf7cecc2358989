"""The annotation queues of a project, and how far each is."""

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from dashboard.annotation_changes import QUEUES
from dashboard.components import formats, panes
from dashboard.components.listing import Listing
from dashboard.queries.annotation import QueuePage
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import ListState, OpenQueue

COLUMNS = [
    {"field": "name", "title": "Name", "kind": "strong"},
    {"field": "description", "title": "Description"},
    {"field": "waiting", "title": "Waiting", "align": "right"},
    {"field": "completed", "title": "Completed", "align": "right"},
    {"field": "progress", "title": "Done", "align": "right"},
    {"field": "mine", "title": "Assigned", "kind": "chips"},
    {"field": "updated_at", "title": "Changed (UTC)"},
]
NONE_YET = Markup(
    '<h2>No annotation queues yet</h2><p class="quiet">A queue holds traces, observations and sessions that people are'
    " to score, and names the score configs that they score by. Make the first one, then add items from a trace or from"
    " the list of traces.</p>"
)


class AnnotationTable:
    """View of the queues of a project; which page of them is in `wanted`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.wanted = ListState()
        self.shell = Shell(context, self.wanted)
        self.listing = Listing(self.wanted, COLUMNS, noun="queues", caption=f"Queues of {context.project.name}")

    def page(self) -> pmui.Page:
        """The page."""
        self.shell.body[:] = [self.listing.view()]
        self.listing.follow(self.shell.guarded(self._load), [])
        return self.shell.page("Annotation", self._load)

    async def _load(self) -> None:
        link = self.shell.address.query(self.shell.scope)
        fresh = pmui.Button(
            label="New queue", icon="add", href=f"/queue{link}", variant="outlined", margin=0, sx=FIELD
        )  # fmt: skip
        may_change = await self.context.changes.may(QUEUES)
        found = await self.context.queries.annotation.page(self.wanted)
        if not found.total:
            parts = [panes.html(NONE_YET), *([fresh] if may_change else [])]
            self.shell.body[:] = [pn.Column(*parts, sizing_mode="stretch_width", max_width=720, margin=(20, 0))]
            return
        self.shell.controls[:] = [fresh] if may_change else []
        self._show(found, link)

    def _show(self, found: QueuePage, link: str) -> None:
        user_id = self.context.viewer.user.id
        rows = []
        for queue in found.queues:
            progress, people = found.progress[queue.id], found.assigned[queue.id]
            others = len([each for each in people if each != user_id])
            rows.append(
                {
                    "href": f"/queue{link}&{OpenQueue(queue=queue.id).write()}",
                    "name": queue.name,
                    "description": queue.description or "",
                    "waiting": formats.count(progress.total - progress.completed),
                    "completed": formats.count(progress.completed),
                    "progress": formats.percent(progress.completed / progress.total) if progress.total else "",
                    "mine": [*(["you"] if user_id in people else []), *([f"{others} others"] if others else [])],
                    "updated_at": formats.moment(queue.updated_at),
                }
            )
        self.listing.show(rows, found.total)

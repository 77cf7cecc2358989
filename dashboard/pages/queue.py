"""One annotation queue: its items, how far its annotators agree, and the form that changes it."""

import panel as pn
import panel_material_ui as pmui

from dashboard.annotation_changes import ASSIGNMENTS, CONFIGS, QUEUES
from dashboard.components import formats, panes, queues
from dashboard.components.listing import Listing
from dashboard.components.queue_forms import ConfigForm, QueueForm
from dashboard.queries.annotation import WholeQueue
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import OpenQueue
from heliograph.domain.errors import HeliographError

COLUMNS = [
    {"field": "object", "title": "Item", "kind": "strong"},
    {"field": "type", "title": "Type"},
    {"field": "status", "title": "Status", "kind": "chips"},
    {"field": "by", "title": "By"},
    {"field": "completed_at", "title": "Completed (UTC)"},
    {"field": "created_at", "title": "Added (UTC)"},
]


class QueueView:
    """View of one queue, or of a new one; which, and the page of its items, is in `opened`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.opened = OpenQueue()
        self.shell = Shell(context, self.opened)
        self.said = panes.html(margin=(8, 0))
        self.listing = Listing(self.opened, COLUMNS, noun="items", caption="Items of the queue")

    def page(self) -> pmui.Page:
        """The page."""
        self.listing.follow(self.shell.guarded(self._load_items), [])
        return self.shell.page("Annotation queue", self._load)

    async def _load(self) -> None:
        changes = self.context.changes
        may_change = await changes.may(QUEUES)
        if not self.opened.queue:
            title = panes.html(queues.new_heading(may_change=may_change))
            self.shell.body[:] = [title, self.said, *([await self._form(None)] if may_change else [])]
            return
        whole = await self.context.queries.annotation.queue(self.opened.queue)
        agreed = await self.context.queries.annotation.agreements(whole)
        tabs = [
            ("Items", self.listing.view()),
            ("Agreement", panes.html(queues.agreement(agreed), margin=(16, 0))),
            *([("Edit", await self._form(whole))] if may_change else []),
        ]
        self.shell.controls[:] = self._actions(whole) if may_change else []
        self.shell.body[:] = [
            panes.html(queues.heading(whole)),
            self.said,
            pmui.Tabs(*tabs, sizing_mode="stretch_width", margin=(10, 0, 0, 0)),
        ]
        await self._load_items()

    def _actions(self, whole: WholeQueue) -> list[pmui.Button]:
        """Where labelling begins."""
        link = self.shell.address.query(self.shell.scope)
        waiting = whole.progress.total - whole.progress.completed
        start = pmui.Button(
            label=f"Label {formats.count(waiting)} waiting", icon="edit_note", color="primary", variant="contained",
            href=f"/labelling{link}&{OpenQueue(queue=whole.queue.id).write()}", disabled=not waiting,
            margin=(0, 12, 0, 0), sx=FIELD,
        )  # fmt: skip
        second = pmui.Button(
            label="Give a second opinion", icon="how_to_reg", variant="outlined",
            href=f"/labelling{link}&{OpenQueue(queue=whole.queue.id, opinion='second').write()}",
            disabled=not whole.progress.completed, margin=0, sx=FIELD,
        )  # fmt: skip
        return [start, second]

    async def _load_items(self) -> None:
        found = await self.context.queries.annotation.items(self.opened.queue, self.opened)
        link = self.shell.address.query(self.shell.scope)
        self.listing.show([queues.item_row(item, found.people, link) for item in found.items], found.total)

    async def _form(self, whole: WholeQueue | None) -> pn.Column:
        changes = self.context.changes
        choices = await self.context.queries.annotation.choices(self.context.project.organization_id)
        form = QueueForm(choices, whole, may_assign=await changes.may(ASSIGNMENTS))
        fresh = ConfigForm()

        async def save(*_: object) -> None:
            try:
                queue_id = whole.queue.id if whole else ""
                queue = await changes.annotation.put_queue(queue_id, **form.values())
                if form.may_assign:
                    await changes.annotation.assign(queue.id, form.people.value)
            except HeliographError as error:
                self.said.object = str(panes.refusal(str(error)))
                return
            self.opened.queue = queue.id
            await self.shell.guarded(self._load)()
            self.said.object = str(panes.success(f"{queue.name} is kept."))

        async def create_config(*_: object) -> None:
            try:
                form.offer(await changes.annotation.create_config(fresh.config()))
            except HeliographError as error:
                fresh.said.object = str(panes.refusal(str(error)))
                return
            fresh.clear()

        form.save.on_click(save)
        fresh.create.on_click(create_config)
        beside = [fresh.view()] if await changes.may(CONFIGS) else []
        return pn.Column(form.view(), *beside, sizing_mode="stretch_width", margin=(16, 0), max_width=760)

"""The labelling view of a queue: what an item stands for, beside the scores that it is given."""

import asyncio
from collections.abc import Mapping
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from dashboard.changes import COMMENTS
from dashboard.components import formats, panes, subjects
from dashboard.components.excerpt import TraceExcerpt
from dashboard.components.label_form import LabelForm, Message, fields_of
from dashboard.components.remarks import RemarkForm
from dashboard.labelling import Labelling
from dashboard.queries.annotation import OpenedItem, WholeQueue
from dashboard.shell import PageContext, Shell
from dashboard.state import OpenQueue, OpenTrace
from heliograph.domain.annotations import AnnotatedType, Commented, CommentedType, ItemStatus, QueueItem
from heliograph.domain.errors import HeliographError

_WIDE, _NARROW = {"flex": "1 1 0", "min-width": "0"}, {"flex": "0 0 380px", "max-width": "380px"}


class LabellingView:
    """View of the items of a queue, one at a time; which queue is in `opened`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.opened = OpenQueue()
        self.shell = Shell(context, self.opened)
        self.way, self.said, self.content = panes.html(), panes.html(margin=(8, 0, 0, 0)), panes.html()
        self.form = LabelForm(on_message=self._heard, sizing_mode="stretch_width", margin=0)
        self.excerpt = TraceExcerpt(context.queries.traces)
        self.remarks = RemarkForm(self._comment)
        self.tabs = pmui.Tabs(
            ("Item", pn.Column(self.content, sizing_mode="stretch_width", margin=(14, 0, 0, 0))),
            ("Trace", self.excerpt.view()),
            ("Comments", pn.Column(self.remarks.view(), sizing_mode="stretch_width", margin=(14, 0, 0, 0))),
            sizing_mode="stretch_width",
            margin=0,
        )
        self._queue: WholeQueue | None = None
        self._labelling: Labelling | None = None
        self._shown = ""

    def page(self) -> pmui.Page:
        """The page."""
        left = panes.paper(self.tabs)
        left.styles = _WIDE
        right = pn.Column(self.form, margin=0, styles=_NARROW)
        split = pn.Row(left, right, sizing_mode="stretch_width", margin=(14, 0, 24, 0), styles=panes.GRID)
        self.shell.body[:] = [self.way, self.said, split]
        self.tabs.param.watch(self._show_trace, "active")
        pn.state.on_session_destroyed(self._leave)
        return self.shell.page("Labelling", self._load)

    async def _load(self) -> None:
        annotation, user = self.context.queries.annotation, self.context.viewer.user
        self._queue = queue = await annotation.queue(self.opened.queue)
        is_second = self.opened.opinion == "second"
        done = await annotation.scored_by(queue, user.id) if is_second else set()

        async def open_item(item: QueueItem) -> OpenedItem:
            return await annotation.opened(item, user.id)

        def is_wanted(opened: OpenedItem) -> bool:
            target = opened.subject.target if opened.subject else None
            return not target or (target.trace_id, target.observation_id, target.session_id) not in done

        self._labelling = Labelling(
            self.context.changes.work_on(queue.queue.id), open_item, configs=queue.configs,
            status=ItemStatus.COMPLETED if is_second else ItemStatus.PENDING, is_wanted=is_wanted,
            on_trouble=self._complain,
        )  # fmt: skip
        self.form.param.update(fields=fields_of(queue.configs), datasets=await self.context.queries.datasets.names())
        self.remarks.may_write(await self.context.changes.may(COMMENTS))
        await self._labelling.start(self.opened.item)
        await self._show()

    async def _heard(self, message: Message) -> None:
        try:
            await self._obey(message)
        except HeliographError as error:
            self._complain(str(error))

    async def _obey(self, message: Message) -> None:
        labelling = self._labelling
        if labelling is None:
            return
        at_hand = labelling.current.item.id if labelling.current else ""
        match message.get("kind"):
            case "answer":
                labelling.say(message["item"], message["config"], message["value"])
                return
            case "withdraw":
                labelling.say(message["item"], message["config"], None)
                return
            case "comment":
                await self._comment(str(message["text"]))
                return
            case "correction":
                await self._correct(str(message["text"]), str(message["dataset"]))
                return
            case _ if message.get("item") != at_hand:
                # A key pressed twice moves once.
                return
            case "complete":
                await labelling.complete()
            case "next" | "skip":
                await labelling.next()
            case "previous":
                labelling.previous()
        self.said.object = ""
        await self._show()

    async def _show(self) -> None:
        """Show the item at hand at once, and what belongs to it as it comes."""
        labelling, queue = self._labelling, self._queue
        assert labelling is not None
        assert queue is not None
        opened = labelling.current
        self.way.object = str(self._way(queue, labelling))
        if opened is None:
            self.form.item = ""
            self.content.object = str(_done(labelling.completed))
            self.remarks.show([])
            return
        self._shown = opened.item.id
        subject = opened.subject
        content = await asyncio.to_thread(subjects.content, subject, self._link, self.context.project.id)
        self.content.object = str(content)
        self.form.param.update(
            item=opened.item.id, answers=dict(opened.answers), correction=subject.output if subject else "",
            is_corrigible=subject is not None and bool(subject.target.trace_id),
        )  # fmt: skip
        await self._show_trace()
        remarks = await self.context.queries.traces.remarks(opened.item.object_id, _commented(opened).type)
        if self._shown == opened.item.id:
            self.remarks.show(remarks)

    async def _show_trace(self, *_: object) -> None:
        opened = self._labelling.current if self._labelling else None
        if self.tabs.active == 1 and opened is not None:
            target = opened.subject.target if opened.subject else None
            await self.excerpt.show(target.trace_id if target else "", target.observation_id if target else "")

    async def _comment(self, text: str) -> None:
        opened = self._labelling.current if self._labelling else None
        if opened is None:
            return
        about = _commented(opened)
        try:
            await self.context.changes.comment(about, text)
        except HeliographError as error:
            self.remarks.refuse(str(error))
            self._complain(str(error))
            return
        self._tell("The comment is kept.")
        self.remarks.show(await self.context.queries.traces.remarks(about.id, about.type))

    async def _correct(self, text: str, dataset: str) -> None:
        """Keep a correction, and put it into a dataset as what was expected."""
        opened = self._labelling.current if self._labelling else None
        if opened is None or opened.subject is None:
            return
        await self.context.changes.work_on(self.opened.queue).correct(text, opened.subject.target)
        if not dataset:
            self._tell("The correction is kept.")
            return
        await self.context.changes.datasets.add(dataset, [opened.subject.as_item(text)])
        self._tell(f"The correction is kept, and an item of {dataset} expects it.")

    def _way(self, queue: WholeQueue, labelling: Labelling) -> Markup:
        link = self.shell.address.query(self.shell.scope)
        progress = queue.progress
        done = progress.completed + (0 if self.opened.opinion else labelling.completed)
        steps = [
            ("Annotation", f"/annotation{link}"),
            (queue.queue.name, f"/queue{link}&{OpenQueue(queue=queue.queue.id).write()}"),
        ]
        told = f"{formats.count(done)} of {formats.count(progress.total)} done"
        return panes.way(steps) + Markup('<p class="quiet" role="status">{}</p>').format(told)

    def _link(self, trace: Mapping[str, Any]) -> str:
        opened = OpenTrace(trace=trace["id"], observation=trace.get("observation", ""))
        return f"/trace{self.shell.address.query(self.shell.scope)}&{opened.write()}"

    def _complain(self, text: str) -> None:
        self.said.object = str(panes.refusal(text))

    def _tell(self, text: str) -> None:
        self.said.object = str(panes.success(text))

    def _leave(self, *_: object) -> None:
        """The tab was closed: what it held is for others."""
        if self._labelling is not None:
            self._leaving = asyncio.ensure_future(self._labelling.leave())


def _commented(opened: OpenedItem) -> Commented:
    item = opened.item
    trace_id = opened.subject.target.trace_id if opened.subject else ""
    kind = AnnotatedType(item.object_type)
    return Commented(CommentedType(kind.value), item.object_id, trace_id)


def _done(completed: int) -> Markup:
    told = f"You completed {formats.count(completed)} here." if completed else "Other people may have items open."
    back = " ← goes back to the last one." if completed else ""
    return Markup('<h2>Nothing is waiting</h2><p class="quiet">{}{}</p>').format(told, back)

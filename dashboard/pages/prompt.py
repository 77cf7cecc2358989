"""One prompt: its versions, what changed between two, how each did, and the forms that change it."""

import panel as pn
import panel_material_ui as pmui

from dashboard.changes import PROMPTS
from dashboard.components import panes, prompts, tables
from dashboard.components.diffs import difference, text_of
from dashboard.components.prompt_forms import PromptForm, labels_of
from dashboard.queries.prompts import WholePrompt
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import OpenPlayground, OpenPrompt
from heliograph.domain.errors import HeliographError
from heliograph.domain.prompts import Prompt

_HALF = {"flex": "1 1 0", "min-width": "0"}


class PromptView:
    """View of one prompt; which, in which version and compared with which is in `opened`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.opened = OpenPrompt()
        self.shell = Shell(context, self.opened)
        self.said = panes.html(margin=(8, 0))

    def page(self) -> pmui.Page:
        """The page."""
        period, _ = self.shell.scope_controls()
        self.shell.controls[:] = [period]
        self.shell.scope.param.watch(self._reload, "range")
        return self.shell.page(self.opened.prompt or "New prompt", self._load)

    async def _reload(self, *_: object) -> None:
        await self.shell.guarded(self._load)()

    async def _load(self) -> None:
        may_change = await self.context.changes.may(PROMPTS)
        if not self.opened.prompt:
            title = panes.html(prompts.new_heading(may_change=may_change))
            self.shell.body[:] = [title, self.said, *([self._form(None)] if may_change else [])]
            return
        whole = await self.context.queries.prompts.whole(self.opened.prompt, self.shell.scope.period())
        by_number = {prompt.version: prompt for prompt in whole.versions}
        shown = by_number.get(self.opened.version, whole.versions[0])
        opened = OpenPlayground(prompt=shown.name, version=shown.version)
        link = f"/playground{self.shell.address.query(self.shell.scope)}&{opened.write()}"
        play = pmui.Button(label="Open in the playground", icon="science", href=link, variant="outlined", sx=FIELD)
        self.shell.controls[:] = [self.shell.controls[0], play]
        self.shell.body[:] = [panes.html(prompts.heading(shown)), self.said, self._split(whole, shown, may_change)]

    def _split(self, whole: WholePrompt, shown: Prompt, may_change: bool) -> pn.Row:  # noqa: FBT001 - one fact of three
        link = self.shell.address.query(self.shell.scope)
        versions = panes.html(prompts.version_list(whole.versions, shown, link), max_width=280)
        tabs = [
            ("Prompt", panes.html(prompts.content(shown), margin=(16, 0, 0, 0))),
            ("Changes", self._changes(whole, shown)),
            ("Usage", panes.html(tables.prompt_usage(whole.versions, whole.usage), margin=(16, 0, 0, 0))),
        ]
        if may_change:
            tabs += [("New version", self._form(shown)), ("Labels", self._labels(shown))]
        right = panes.paper(pmui.Tabs(*tabs, sizing_mode="stretch_width", margin=0))
        right.styles = _HALF
        return pn.Row(versions, right, sizing_mode="stretch_width", margin=(14, 0, 24, 0), styles=panes.GRID)

    def _changes(self, whole: WholePrompt, shown: Prompt) -> pn.Column:
        others = [prompt for prompt in whole.versions if prompt.version != shown.version]
        if not others:
            return pn.Column(panes.html(prompts.ONLY_VERSION), sizing_mode="stretch_width", margin=(16, 0, 0, 0))
        by_number = {prompt.version: prompt for prompt in others}
        before = next((prompt for prompt in others if prompt.version < shown.version), others[-1])
        chosen = by_number.get(self.opened.against, before)
        choice = pmui.Select(
            label="Compared with", options={f"Version {number}": number for number in by_number}, value=chosen.version,
            width=180, size="small", margin=(0, 0, 12, 0), sx=FIELD,
        )  # fmt: skip
        pane = panes.html(difference(text_of(chosen.body), text_of(shown.body)))

        def compare(*_: object) -> None:
            self.opened.against = choice.value
            pane.object = str(difference(text_of(by_number[choice.value].body), text_of(shown.body)))

        choice.param.watch(compare, "value")
        return pn.Column(choice, pane, sizing_mode="stretch_width", margin=(20, 0, 0, 0))

    def _form(self, before: Prompt | None) -> pn.Column:
        form = PromptForm(before, self.context.viewer.user.email)

        async def save(*_: object) -> None:
            try:
                made = await self.context.changes.create_prompt_version(form.new())
            except HeliographError as error:
                self.said.object = str(panes.refusal(str(error)))
                return
            self.opened.param.update(prompt=made.name, version=made.version, against=0)
            await self.shell.guarded(self._load)()
            self.said.object = str(panes.success(f"Saved as version {made.version}."))

        form.save.on_click(save)
        return form.view()

    def _labels(self, shown: Prompt) -> pn.Column:
        labels = pmui.TextInput(
            label="Labels to put on this version, separated by commas", placeholder="production, staging",
            sizing_mode="stretch_width", margin=(0, 0, 14, 0),
        )  # fmt: skip
        button = pmui.Button(label="Set labels", color="primary", variant="contained", margin=0)

        async def apply(*_: object) -> None:
            try:
                await self.context.changes.label_prompt(shown.name, shown.version, labels_of(labels.value_input))
            except HeliographError as error:
                self.said.object = str(panes.refusal(str(error)))
                return
            await self.shell.guarded(self._load)()
            self.said.object = str(panes.success(f"Version {shown.version} has these labels now."))

        button.on_click(apply)
        words = panes.html(prompts.LABELS_MOVE, margin=(0, 0, 12, 0))
        return pn.Column(words, labels, button, sizing_mode="stretch_width", margin=(20, 0, 0, 0), max_width=640)

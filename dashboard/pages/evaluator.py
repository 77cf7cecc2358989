"""One evaluator: what it says in each version, and the form and the bench in which its next version is made."""

import asyncio

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from dashboard.components import evaluation, evaluators, panes
from dashboard.components.diffs import difference
from dashboard.components.evaluator_forms import START, START_CODE, CodeForm, EvaluatorForm, JudgeForm
from dashboard.components.trial_bench import TrialBench
from dashboard.evaluator_changes import EVALUATORS
from dashboard.queries.evaluators import WholeEvaluator
from dashboard.shell import PageContext, Shell
from dashboard.state import OpenEvaluator, TrialTargets
from evals.catalogue import Entry, entries
from evals.templates import template
from heliograph.domain.not_found import EvaluatorNotFound
from heliograph.domain.project_evaluators import Definition, EvaluatorType, EvaluatorVersion

_HALF = {"flex": "1 1 0", "min-width": "0"}
_UNNAMED = "trial"


class EvaluatorView:
    """View of one evaluator, or of a new one; which is in `opened`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.opened, self.targets = OpenEvaluator(), TrialTargets()
        self.shell = Shell(context, self.opened, self.targets)
        self.said = panes.html(margin=(8, 0))
        self.bench: TrialBench | None = None

    def page(self) -> pmui.Page:
        """The page."""
        return self.shell.page("Evaluator", self._load)

    async def _load(self) -> None:
        link = self.shell.address.query(self.shell.scope)
        way = panes.html(evaluation.way_between("/evaluators", link), margin=(0, 0, 12, 0))
        self.shell.controls[:] = [way]
        may_change = await self.context.changes.may(EVALUATORS)
        if self.opened.entry:
            self.shell.body[:] = await self._of_catalogue(link, may_change=may_change)
        elif self.opened.own:
            await self._of_project(link, may_change=may_change)
        elif may_change:
            await self._new()
        else:
            self.shell.body[:] = [panes.html(evaluation.NOT_ALLOWED)]

    async def _of_catalogue(self, link: str, *, may_change: bool) -> list[pn.Column]:
        entry = await _entry(self.opened.entry)
        begun = await template(entry)
        parts = [panes.paper(panes.html(evaluators.entry_content(entry, begun.prompt if begun else "")))]
        if begun and may_change:
            href = f"/evaluator{link}&{OpenEvaluator(template=entry.name).write()}"
            own = pmui.Button(
                label="Make it my own", icon="edit", href=href, color="primary", variant="contained",
                margin=(14, 0, 24, 0),
            )  # fmt: skip
            parts.append(own)
        return [pn.Column(*parts, sizing_mode="stretch_width", max_width=980, margin=0)]

    async def _of_project(self, link: str, *, may_change: bool) -> None:
        whole = await self.context.queries.evaluators.whole(self.opened.own)
        shown = next((each for each in whole.versions if each.version == self.opened.version), whole.versions[0])
        versions = panes.html(
            evaluators.version_list(whole.versions, shown.version, link, evaluator_id=whole.evaluator.id), max_width=240
        )
        tabs = [
            ("Definition", panes.html(evaluators.definition_content(shown.definition), margin=(16, 0, 0, 0))),
            ("Changes", panes.html(_changes(whole, shown), margin=(16, 0, 0, 0))),
        ]
        if may_change:
            tabs += [
                ("New version", await self._editor(shown.definition, whole.evaluator.name)),
                ("Delete", self._deletion()),
            ]
        right = panes.paper(pmui.Tabs(*tabs, sizing_mode="stretch_width", margin=0))
        right.styles = _HALF
        row = pn.Row(versions, right, sizing_mode="stretch_width", margin=(14, 0, 24, 0), styles=panes.GRID)
        self.shell.body[:] = [panes.html(evaluators.heading(whole.evaluator)), self.said, row]

    async def _new(self) -> None:
        type_ = EvaluatorType(self.opened.type)
        before = START_CODE if type_ is EvaluatorType.CODE else START
        if self.opened.template:
            before = await template(await _entry(self.opened.template)) or before
        head = panes.html(evaluators.new_heading(type_, self.opened.template))
        self.shell.body[:] = [head, self.said, await self._editor(before, "")]

    async def _editor(self, before: Definition, name: str) -> pn.Column:
        """The form, its bench, and what keeps the next version of `name`, or the first of a name to be given."""
        form = await self._form(before)
        naming = pmui.TextInput(
            label="Name, which its scores have", value=name or self.opened.template, placeholder="correctness",
            sizing_mode="stretch_width", margin=(0, 0, 14, 0), visible=not name,
        )  # fmt: skip

        def written() -> tuple[str, Definition]:
            return name or naming.value_input.strip() or _UNNAMED, form.definition()

        bench = self.bench = TrialBench(
            self.context, self.shell, self.targets, written=written, variables=form.variables
        )

        async def keep() -> None:
            made = await self.context.changes.evaluators.save(name or naming.value_input.strip(), form.definition())
            self.opened.param.update(own=made.id, version=made.version, template="")
            await self._load()
            self.said.object = str(panes.success(f"Saved as version {made.version}. Rules use it from now on."))

        label = "Save as next version" if name else "Save"
        save = pmui.Button(label=label, icon="save", variant="outlined", margin=(0, 0, 0, 12))
        refused = panes.html()
        save.on_click(panes.telling(refused, keep))
        card = panes.card(
            "What is judged, and how", pn.Column(naming, form.view(), sizing_mode="stretch_width", margin=(14, 0, 0, 0))
        )
        controls = pn.Row(*self.shell.scope_controls(), sizing_mode="stretch_width", margin=(14, 0, 0, 0))
        trying = bench.view(save)
        await bench.load()
        await self.shell.offer_choices()
        return pn.Column(
            card, controls, trying, refused, sizing_mode="stretch_width", margin=(14, 0, 24, 0), styles=panes.GRID
        )

    async def _form(self, before: Definition) -> EvaluatorForm:
        if before.type is EvaluatorType.CODE:
            return CodeForm(before)
        offers, default = await asyncio.gather(
            self.context.changes.models.offers(), self.context.queries.evaluators.default_model()
        )
        if not offers:
            link = self.shell.address.query(self.shell.scope)
            self.said.object = str(evaluation.no_model(link))
        return JudgeForm(before, offers, default, changed=self._follow)

    def _follow(self) -> None:
        if self.bench:
            self.bench.follow()

    def _deletion(self) -> pn.Column:
        words = panes.html(
            '<p class="quiet">Deletes every version, and the rules that have no other evaluator. Scores that it gave'
            " stay.</p>"
        )
        button = pmui.Button(label="Delete this evaluator", icon="delete", color="error", variant="outlined", margin=0)
        refused = panes.html()

        async def delete() -> None:
            await self.context.changes.evaluators.delete(self.opened.own)
            link = self.shell.address.query(self.shell.scope)
            self.shell.body[:] = [
                panes.html(panes.success("The evaluator is deleted.")),
                panes.html(f'<p class="quiet"><a href="/evaluators{link}">All evaluators</a></p>'),
            ]

        button.on_click(panes.telling(refused, delete))
        return pn.Column(words, button, refused, sizing_mode="stretch_width", margin=(16, 0, 16, 0))


async def _entry(name: str) -> Entry:
    found = await asyncio.to_thread(lambda: {entry.name: entry for entry in entries()}.get(name))
    if found is None:
        raise EvaluatorNotFound(name)
    return found


def _changes(whole: WholeEvaluator, shown: EvaluatorVersion) -> Markup:
    earlier = next((each for each in whole.versions if each.version < shown.version), None)
    if earlier is None:
        return Markup('<p class="absent">This is the first version: there is none before it.</p>')
    return difference(evaluators.text_of(earlier.definition), evaluators.text_of(shown.definition))

"""One evaluation rule: what came of it, what it says, and the form that makes or changes it."""

from collections.abc import Mapping

import panel as pn
import panel_material_ui as pmui

from dashboard.components import evaluation, panes, rules
from dashboard.components.listing import Listing
from dashboard.components.rule_draft import RuleDrafting
from dashboard.evaluation_changes import RUNS
from dashboard.queries.rules import CountedRule
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import OpenRule, RuleDraft
from heliograph.domain.evaluation_jobs import JobState
from heliograph.domain.evaluation_rules import EvaluationRule

COLUMNS = [
    {"field": "target", "title": "Target", "kind": "strong"},
    {"field": "evaluator", "title": "Evaluator"},
    {"field": "state", "title": "State", "kind": "chips"},
    {"field": "reason", "title": "Reason"},
    {"field": "created_at", "title": "Matched (UTC)"},
]
LOOK_MILLISECONDS = 3_000
_STATES = {"Every state": "", **{state.capitalize(): str(state) for state in JobState}}


class RuleView:
    """View of one rule, or of a new one; which is in `opened`."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.opened, self.draft = OpenRule(), RuleDraft()
        self.shell = Shell(context, self.opened, self.draft)
        self.said = panes.html(margin=(8, 0))
        self.head, self.figures = panes.html(margin=(14, 0, 0, 0)), panes.html(margin=(12, 0))
        self._tally: Mapping[JobState, int] = {}
        self.listing = Listing(self.opened, COLUMNS, noun="executions", caption="What came of the rule")
        self.listing.follow(self.shell.guarded(self._show_executions), ["status"])

    def page(self) -> pmui.Page:
        """The page."""
        return self.shell.page("Evaluation rule", self._begin)

    async def _begin(self) -> None:
        await self._load()
        pn.state.add_periodic_callback(self.shell.guarded(self._look), period=LOOK_MILLISECONDS)

    async def _load(self) -> None:
        link = self.shell.address.query(self.shell.scope)
        self.shell.controls[:] = [panes.html(evaluation.way_between("/rules", link))]
        may_change = await self.context.changes.may(RUNS)
        if self.opened.rule:
            await self._open(link, may_change=may_change)
        elif may_change:
            await self._new(link)
        else:
            self.shell.body[:] = [panes.html(evaluation.NOT_ALLOWED)]

    async def _open(self, link: str, *, may_change: bool) -> None:
        counted = await self.context.queries.rules.rule(self.opened.rule)
        rule = counted.rule
        state = pmui.Select.from_param(
            self.opened.param.status, label="State", options=_STATES, width=160, size="small", margin=(14, 0, 0, 0)
        )
        executions = pn.Column(state, self.listing.view(), sizing_mode="stretch_width", margin=0)
        tabs = [
            ("Executions", executions),
            ("Definition", panes.html(rules.definition(rule, link), margin=(16, 0))),
        ]
        if may_change:
            own = await self.context.queries.evaluators.own()
            drafting = RuleDrafting(self.context, own, rule, kept=self._kept)
            tabs += [("Change", drafting.view()), ("Delete", self._deletion())]
        steering = [self._steering(counted)] if may_change else []
        shown = pmui.Tabs(*tabs, sizing_mode="stretch_width", margin=(6, 0, 24, 0))
        parts = [self.head, *steering, self.said, self.figures, shown]
        self.shell.body[:] = [pn.Column(*parts, sizing_mode="stretch_width", margin=0)]
        await self._show(counted)
        await self._show_executions()

    async def _new(self, link: str) -> None:
        own = await self.context.queries.evaluators.own()
        if not own:
            self.shell.body[:] = [panes.html(rules.no_evaluators(link), margin=(14, 0))]
            return
        words = panes.html('<h2>New evaluation rule</h2><p class="quiet">Each target is judged once.</p>')
        drafting = RuleDrafting(self.context, own, self.draft, kept=self._kept)
        self.shell.body[:] = [words, drafting.view()]
        await drafting.begin()

    async def _kept(self, rule: EvaluationRule) -> None:
        self.draft.clear()
        self.opened.rule = rule.id
        await self._load()
        self.said.object = str(panes.success("The rule is kept."))

    async def _look(self) -> None:
        """How far it is by now."""
        if not self.opened.rule:
            return
        counted = await self.context.queries.rules.rule(self.opened.rule)
        if counted.tally != self._tally:
            await self._show_executions()
        await self._show(counted)

    async def _show(self, counted: CountedRule) -> None:
        rule, self._tally = counted.rule, counted.tally
        run = await self.context.queries.evaluations.run(rule.backfill_run_id) if rule.backfill_run_id else None
        self.head.object = str(rules.heading(rule))
        self.figures.object = str(rules.figures(counted.tally, run, self.shell.address.query(self.shell.scope)))

    async def _show_executions(self) -> None:
        state = JobState(self.opened.status) if self.opened.status else None
        found, total = await self.context.queries.rules.executions(self.opened.rule, self.opened, state)
        rule = (await self.context.queries.rules.rule(self.opened.rule)).rule
        names = {one.evaluator_id: one.name for one in rule.assignments}
        link = self.shell.address.query(self.shell.scope)
        self.listing.show([rules.execution_row(one, names, link) for one in found], total)

    def _steering(self, counted: CountedRule) -> pn.Row:
        rule = counted.rule

        async def turn() -> None:
            await self.context.changes.rules.enable(rule.id, is_enabled=rule.status != "active")
            await self._load()

        async def retry() -> None:
            count = await self.context.changes.rules.retry(rule.id)
            await self._load()
            self.said.object = str(panes.success(f"Executions that are tried again: {count}."))

        label, icon = {
            "active": ("Disable", "pause"), "paused": ("Resume", "play_arrow"), "inactive": ("Enable", "play_arrow")
        }[rule.status]  # fmt: skip
        buttons = [self._button(label, icon, turn)]
        if counted.tally.get(JobState.ERROR):
            buttons.append(self._button("Retry what failed", "replay", retry))
        return pn.Row(*buttons, sizing_mode="stretch_width", margin=(10, 0, 0, 0), styles={"gap": "10px"})

    def _button(self, label: str, icon: str, act: panes.Act) -> pmui.Button:
        button = pmui.Button(label=label, icon=icon, variant="outlined", margin=0, sx=FIELD)
        button.on_click(panes.telling(self.said, act))
        return button

    def _deletion(self) -> pn.Column:
        words = panes.html('<p class="quiet">Deletes the rule and what is known of its executions. Scores stay.</p>')
        button = pmui.Button(label="Delete this rule", icon="delete", color="error", variant="outlined", margin=0)
        refused = panes.html()

        async def delete() -> None:
            await self.context.changes.rules.delete(self.opened.rule)
            self.opened.rule = ""
            link = self.shell.address.query(self.shell.scope)
            self.shell.body[:] = [
                panes.html(panes.success("The rule is deleted.")),
                panes.html(f'<p class="quiet"><a href="/rules{link}">All rules</a></p>'),
            ]

        button.on_click(panes.telling(refused, delete))
        return pn.Column(words, button, refused, sizing_mode="stretch_width", margin=(16, 0))

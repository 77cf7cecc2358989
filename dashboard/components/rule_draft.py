"""A rule that is put together or changed: its form, what it would take over what is stored, and its button."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import panel as pn
import panel_material_ui as pmui

from dashboard.components import panes, runs
from dashboard.components.rule_form import RuleForm, draft_of
from dashboard.shell import PageContext
from dashboard.state import RuleDraft, Scope
from heliograph.domain.evaluation_rules import EvaluationRule
from heliograph.domain.project_evaluators import ProjectEvaluator


class RuleDrafting:
    """A rule before it is kept.

    Args:
        context: of the page.
        evaluators: those of the project.
        of: what a new rule begins with, or the one that is changed.
        kept: is called with the rule when it was kept.
    """

    def __init__(
        self,
        context: PageContext,
        evaluators: Sequence[ProjectEvaluator],
        of: RuleDraft | EvaluationRule,
        *,
        kept: Callable[[EvaluationRule], Awaitable[None]],
    ) -> None:
        self._changes, self._kept = context.changes.rules, kept
        self._known = None if isinstance(of, RuleDraft) else of
        draft = of if isinstance(of, RuleDraft) else draft_of(of)
        look = {"margin": (14, 12, 24, 0)}
        self._estimate, self._said = panes.html(margin=(14, 0, 0, 0)), panes.html()
        self._ask = pmui.Button(label="Estimate", icon="calculate", variant="outlined", **look)
        self._keep = pmui.Button(label="Save the rule", icon="save", color="primary", variant="contained", **look)
        suggesting = partial(context.queries.suggestions, scope=Scope(range="30d"))
        self._form = RuleForm(evaluators, draft, self._known, suggesting=suggesting, changed=self._forget)
        self._ask.visible = self._form.is_about_stored
        self._ask.on_click(panes.telling(self._said, self._plan))
        self._keep.on_click(panes.telling(self._said, self._put))

    def view(self) -> pn.Column:
        """Form, estimate and buttons."""
        buttons = pn.Row(self._ask, self._keep, sizing_mode="stretch_width", margin=0)
        parts = [self._form.view(), self._estimate, self._said, buttons]
        return pn.Column(*parts, sizing_mode="stretch_width", margin=(14, 0, 0, 0))

    async def begin(self) -> None:
        """Be ready to be filled in."""
        await self._form.begin()

    def _forget(self) -> None:
        """What is filled in is another rule: what that would take is not known."""
        self._estimate.object = ""
        self._ask.visible = self._form.is_about_stored

    async def _plan(self) -> None:
        self._forget()
        asked = self._form.rule()
        found = await self._changes.estimate(asked, self._form.mappings())
        self._estimate.object = str(runs.estimate_against(found, asked.budget_usd))

    async def _put(self) -> None:
        new, by = self._form.rule(), self._form.mappings()
        known = self._known
        await self._kept(await (self._changes.change(known.id, new, by) if known else self._changes.create(new, by)))

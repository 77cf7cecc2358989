"""The form of an evaluation rule: what is judged, by which evaluators of the project, and how much of it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components import panes
from dashboard.components.comparisons import Asked, asked_by_rules
from dashboard.components.fields import number
from dashboard.components.filter_form import FilterForm, Suggesting
from dashboard.components.variable_mapping import VariableMappingForm
from dashboard.filter_text import conditions_of, text_of
from dashboard.rule_changes import Mappings
from dashboard.state import RuleDraft
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluation_rules import DELAYS, EvaluationRule, NewRule, RuleTarget, TimeScope
from heliograph.domain.project_evaluators import EvaluatorType, ProjectEvaluator
from heliograph.domain.rule_filters import COLUMNS
from heliograph.domain.validation import requested

_LOOK: dict[str, Any] = {"size": "small", "margin": (10, 12, 10, 0)}
_WRAP = {"flex-wrap": "wrap"}
_TARGETS = {
    "Observations": "observation", "Items of experiments": "experiment", "Traces": "trace", "Sessions": "session"
}  # fmt: skip
_OF_OBSERVATIONS = (RuleTarget.OBSERVATION, RuleTarget.EXPERIMENT)
_SCOPES = {
    "What arrives from now on": "NEW",
    "Also what is stored already": "NEW,EXISTING",
    "Only what is stored already": "EXISTING",
}


def draft_of(rule: EvaluationRule) -> RuleDraft:
    """A rule as it is changed."""
    return RuleDraft(
        called=rule.name, target=str(rule.target), filter=text_of(rule.filter), sample=f"{rule.sampling * 100:g}",
        rest=f"{rule.delay.total_seconds():g}", by=",".join(one.evaluator_id for one in rule.assignments),
        about=",".join(rule.time_scope), budget="" if rule.budget_usd is None else f"{rule.budget_usd:g}",
    )  # fmt: skip


class RuleForm:
    """The parts of a rule to fill in, which `draft` keeps.

    Args:
        evaluators: those of the project.
        draft: what the form begins with.
        known: the rule that is changed; None of a new one.
        suggesting: what filters of a table can be filled with.
        changed: is called when what is filled in may be another rule.
    """

    def __init__(
        self,
        evaluators: Sequence[ProjectEvaluator],
        draft: RuleDraft,
        known: EvaluationRule | None,
        *,
        suggesting: Callable[[str], Suggesting],
        changed: Callable[[], None],
    ) -> None:
        self._own = {one.name: one for one in evaluators}
        self._draft, self._suggesting, self._changed = draft, suggesting, changed
        of = draft.param
        self._name = pmui.TextInput.from_param(
            of.called, label="Name", placeholder="what this rule is for", width=260, **_LOOK
        )
        self._target = pmui.Select.from_param(of.target, label="Kind", options=_TARGETS, width=190, **_LOOK)
        self._sample = pmui.TextInput.from_param(of.sample, label="Sample, percent", width=160, **_LOOK)
        self._delay = pmui.TextInput.from_param(of.rest, label="Rest before, seconds", width=160, **_LOOK)
        self._filter = FilterForm(
            self._columns(), conditions_of(draft.filter), self._suggestions(), changed=self._filtered
        )
        self._scope = pmui.Select.from_param(of.about, label="About", options=_SCOPES, width=240, **_LOOK)
        self._budget = pmui.TextInput.from_param(
            of.budget, label="Budget of what is stored, US dollars", width=270, **_LOOK
        )
        self._is_enabled = pmui.Switch(label="Enabled", value=known.is_enabled if known else True, margin=(16, 0, 0, 0))
        ids = draft.by.split(",")
        self._evaluators = pmui.MultiChoice(
            label="Evaluators", options=list(self._own), searchable=True, sizing_mode="stretch_width", max_width=760,
            value=[name for name, one in self._own.items() if one.id in ids], margin=(10, 0),
        )  # fmt: skip
        self._mappings: dict[str, VariableMappingForm] = {name: VariableMappingForm() for name in self._own}
        for one in known.assignments if known else ():
            self._mappings[one.name].adopt(one.mapping)
        self._filled = pn.Column(sizing_mode="stretch_width", margin=0)
        self._show()
        draft.param.watch(self._retarget, "target")
        draft.param.watch(self._follow, ["sample", "rest", "about", "budget", "filter", "by"])
        self._evaluators.param.watch(self._choose, "value")

    def view(self) -> pn.Column:
        """The form."""
        look = {"sizing_mode": "stretch_width", "margin": 0, "styles": _WRAP}
        what = pn.Row(self._target, self._sample, self._delay, **look)
        return pn.Column(
            panes.card("What is judged", what, self._filter.view()),
            panes.card("By which evaluators", self._evaluators, self._filled),
            panes.card("When", pn.Row(self._name, self._scope, self._budget, self._is_enabled, **look)),
            sizing_mode="stretch_width", margin=0, styles={"gap": "14px"},
        )  # fmt: skip

    async def begin(self) -> None:
        """Be ready to be filled in."""
        await self._filter.suggest()

    @property
    def is_about_stored(self) -> bool:
        """Whether it is, also, about what is stored already."""
        return TimeScope.EXISTING in self._draft.about.split(",")

    def rule(self) -> NewRule:
        """What is filled in, but for its evaluators; raises InvalidRequest."""
        draft = self._draft
        budget = draft.budget.strip()
        if not self._evaluators.value:
            raise InvalidRequest("evaluators", "are needed: choose at least one")
        with requested("rule"):
            return NewRule(
                name=draft.called.strip(), target=RuleTarget(draft.target),
                is_enabled=self._is_enabled.value, assignments=(),
                sampling=number(draft.sample, "sample") / 100, filter=self._filter.conditions(),
                delay=timedelta(seconds=number(draft.rest, "rest")),
                time_scope=tuple(map(TimeScope, draft.about.split(","))),
                budget_usd=number(budget, "budget") if budget else None,
            )  # fmt: skip

    def mappings(self) -> Mappings:
        """What fills the variables of each chosen evaluator; raises InvalidRequest."""
        return {
            self._own[name].id: None if _is_code(self._own[name]) else self._mappings[name].mapping()
            for name in self._evaluators.value
        }

    def _columns(self) -> Mapping[str, Asked]:
        return asked_by_rules(COLUMNS[RuleTarget(self._draft.target)])

    def _suggestions(self) -> Suggesting:
        target = RuleTarget(self._draft.target)
        return self._suggesting("observations" if target in _OF_OBSERVATIONS else "traces")

    def _retarget(self, *_: object) -> None:
        self._filter.offer(self._columns(), self._suggestions())
        self._draft.rest = f"{DELAYS[RuleTarget(self._draft.target)].total_seconds():g}"
        self._follow()

    def _filtered(self) -> None:
        try:
            self._draft.filter = text_of(self._filter.conditions())
        except InvalidRequest:
            # Half a condition is none yet; keeping the rule says what it lacks.
            self._changed()

    def _choose(self, *_: object) -> None:
        self._draft.by = ",".join(self._own[name].id for name in self._evaluators.value)

    def _follow(self, *_: object) -> None:
        self._show()
        self._changed()

    def _show(self) -> None:
        """Ask for what the chosen evaluators need."""
        self._budget.visible = self.is_about_stored
        target, parts = RuleTarget(self._draft.target), []
        for name in self._evaluators.value:
            definition = self._own[name].definition
            if not _is_code(self._own[name]):
                self._mappings[name].offer(definition.variables, target)
                parts.append(panes.html(panes.subtitle(f"What fills the variables of {name}"), margin=(10, 0, 0, 0)))
                parts.append(self._mappings[name].view())
        self._filled[:] = parts


def _is_code(evaluator: ProjectEvaluator) -> bool:
    return evaluator.definition.type is EvaluatorType.CODE

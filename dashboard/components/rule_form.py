"""The form of an evaluation rule: what is judged, by which evaluators of the project, and how much of it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components import panes
from dashboard.components.fields import number
from dashboard.components.filter_form import FilterForm
from dashboard.components.variable_mapping import VariableMappingForm
from dashboard.rule_changes import Mappings
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
_SCOPES = {
    "What arrives from now on": "NEW",
    "Also what is stored already": "NEW,EXISTING",
    "Only what is stored already": "EXISTING",
}


class RuleForm:
    """The parts of a rule to fill in.

    Args:
        evaluators: those of the project.
        known: the rule that is changed; None of a new one.
        chosen: the id of the evaluator that a new one begins with.
    """

    def __init__(self, evaluators: Sequence[ProjectEvaluator], known: EvaluationRule | None, chosen: str = "") -> None:
        self._own = {one.name: one for one in evaluators}
        self._name = pmui.TextInput(
            label="Name", value=known.name if known else "", placeholder="what this rule is for", width=260, **_LOOK
        )
        target = known.target if known else RuleTarget.OBSERVATION
        self._target = pmui.Select(label="Kind", options=_TARGETS, value=str(target), width=190, **_LOOK)
        self._sample = _box("Sample, percent", f"{(known.sampling if known else 1) * 100:g}")
        self._delay = _box("Rest before, seconds", f"{(known.delay if known else DELAYS[target]).total_seconds():g}")
        self._filter = FilterForm(COLUMNS[target], known.filter if known else (), lambda: None)
        self._scope = pmui.Select(
            label="About", options=_SCOPES, value=",".join(known.time_scope) if known else "NEW", width=240, **_LOOK
        )
        budget = known.budget_usd if known else None
        self._budget = _box("Budget of what is stored, US dollars", "" if budget is None else f"{budget:g}", width=270)
        self._is_enabled = pmui.Switch(label="Enabled", value=known.is_enabled if known else True, margin=(16, 0, 0, 0))
        ids = {one.evaluator_id for one in known.assignments} if known else {chosen}
        self._evaluators = pmui.MultiChoice(
            label="Evaluators", options=list(self._own), searchable=True, sizing_mode="stretch_width", max_width=760,
            value=[name for name, one in self._own.items() if one.id in ids], margin=(10, 0),
        )  # fmt: skip
        self._mappings: dict[str, VariableMappingForm] = {name: VariableMappingForm() for name in self._own}
        for one in known.assignments if known else ():
            self._mappings[one.name].adopt(one.mapping)
        self._filled = pn.Column(sizing_mode="stretch_width", margin=0)
        self._follow()
        self._target.param.watch(self._retarget, "value")
        self._evaluators.param.watch(self._follow, "value")
        self._scope.param.watch(self._follow, "value")

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

    def rule(self) -> NewRule:
        """What is filled in, but for its evaluators; raises InvalidRequest."""
        budget = self._budget.value_input.strip()
        if not self._evaluators.value:
            raise InvalidRequest("evaluators", "are needed: choose at least one")
        with requested("rule"):
            return NewRule(
                name=self._name.value_input.strip(), target=RuleTarget(self._target.value),
                is_enabled=self._is_enabled.value, assignments=(),
                sampling=number(self._sample.value_input, "sample") / 100, filter=self._filter.conditions(),
                delay=timedelta(seconds=number(self._delay.value_input, "rest")),
                time_scope=tuple(map(TimeScope, self._scope.value.split(","))),
                budget_usd=number(budget, "budget") if budget else None,
            )  # fmt: skip

    def mappings(self) -> Mappings:
        """What fills the variables of each chosen evaluator; raises InvalidRequest."""
        return {
            self._own[name].id: None if _is_code(self._own[name]) else self._mappings[name].mapping()
            for name in self._evaluators.value
        }

    def _retarget(self, *_: object) -> None:
        target = RuleTarget(self._target.value)
        rest = f"{DELAYS[target].total_seconds():g}"
        self._delay.param.update(value=rest, value_input=rest)
        self._filter.offer(COLUMNS[target])
        self._follow()

    def _follow(self, *_: object) -> None:
        """Ask for what the chosen evaluators need."""
        self._budget.visible = TimeScope.EXISTING in self._scope.value.split(",")
        target, parts = RuleTarget(self._target.value), []
        for name in self._evaluators.value:
            definition = self._own[name].definition
            if not _is_code(self._own[name]):
                self._mappings[name].offer(definition.variables, target)
                parts.append(panes.html(panes.subtitle(f"What fills the variables of {name}"), margin=(10, 0, 0, 0)))
                parts.append(self._mappings[name].view())
        self._filled[:] = parts


def _is_code(evaluator: ProjectEvaluator) -> bool:
    return evaluator.definition.type is EvaluatorType.CODE


def _box(label: str, value: str, width: int = 160) -> pmui.TextInput:
    return pmui.TextInput(label=label, value=value, width=width, **_LOOK)

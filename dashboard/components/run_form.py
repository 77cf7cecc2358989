"""The form of an evaluation run: what is judged, by what, how much of it, and for how much money."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components import evaluation, panes
from dashboard.components.comparisons import Asked, asked_of
from dashboard.components.evaluator_settings import EvaluatorSettings
from dashboard.components.fields import number
from dashboard.components.filter_form import FilterForm, Suggesting
from dashboard.components.model_picker import ModelPicker
from dashboard.components.scope_row import RANGE_TITLES
from dashboard.filter_text import conditions_of, text_of
from dashboard.state import RANGES, RunDraft
from evals.catalogue import Entry, entries
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.evaluation_runs import EvaluatorSpec, JudgeSpec, NewRun, OnExisting
from heliograph.domain.filters import AllOf, Expression
from heliograph.domain.selections import SelectedTable, Selection
from heliograph.domain.validation import requested
from storage.clickhouse.exposed import EXPOSED

_LOOK: dict[str, Any] = {"size": "small", "margin": (10, 12, 10, 0)}
_WRAP = {"flex-wrap": "wrap"}
_EXISTING = {"Keep it, and pay nothing": OnExisting.SKIP.value, "Judge again": OnExisting.REPLACE.value}
_TABLES = {"Observations": SelectedTable.OBSERVATIONS.value, "Traces": SelectedTable.TRACES.value}
_PERIODS = {"Everything stored": "", **{RANGE_TITLES[key]: key for key in RANGES}}


@cache
def _catalogue() -> Mapping[str, Entry]:
    return {entry.name: entry for entry in entries() if entry.kind != "embedding"}


class RunForm:
    """The parts of a run to fill in; the address keeps them in `draft`.

    Args:
        draft: what the form begins with.
        offers: the models that judges can be, by provider.
        link: the query string of links.
        suggesting: what filters of a table can be filled with.
        changed: is called when what is filled in may be another run.
    """

    def __init__(
        self,
        draft: RunDraft,
        offers: Mapping[str, Sequence[str]],
        link: str,
        *,
        suggesting: Callable[[str], Suggesting],
        changed: Callable[[], None],
    ) -> None:
        self._draft, self._offers, self._link, self._changed = draft, offers, link, changed
        self._suggesting = suggesting
        of = draft.param
        self._table = pmui.Select.from_param(of.table, label="Kind", options=_TABLES, width=180, **_LOOK)
        self._since = pmui.Select.from_param(of.since, label="Of the last", options=_PERIODS, width=180, **_LOOK)
        self._sample = pmui.TextInput.from_param(of.sample, label="Sample, percent", width=140, **_LOOK)
        self._existing = pmui.Select.from_param(
            of.existing, label="A target with a score", options=_EXISTING, width=240, **_LOOK
        )
        self._budget = pmui.TextInput.from_param(of.budget, label="Budget, US dollars", width=180, **_LOOK)
        self._name = pmui.TextInput(label="Name", placeholder="what this run is for", width=260, **_LOOK)
        self._filter = FilterForm(
            self._columns(), conditions_of(draft.where), suggesting(draft.table), changed=self._filtered
        )
        chosen = [name for name in draft.evaluators.split(",") if name in _catalogue()]
        self._evaluators = pmui.MultiChoice(
            label="Evaluators", options=list(_catalogue()), value=chosen, searchable=True,
            sizing_mode="stretch_width", max_width=760, margin=(10, 0, 10, 0),
        )  # fmt: skip
        self._model = ModelPicker(offers, label="Judges ask", width=320, margin=(4, 12, 10, 0))
        provider, _, model = draft.judge.partition("/")
        self._model.choose(model, provider)
        self._settings: dict[str, EvaluatorSettings] = {}
        self._folded = pn.Column(sizing_mode="stretch_width", margin=0)
        self._judge = pn.Column(sizing_mode="stretch_width", margin=0)
        self._follow()
        self._evaluators.param.watch(self._choose, "value")
        self._model.box.param.watch(self._choose, "value")
        draft.param.watch(self._tell, ["table", "since", "sample", "existing", "budget"])

    def view(self) -> pn.Column:
        """The form."""
        look = {"sizing_mode": "stretch_width", "margin": (0, 0, 4, 0), "styles": _WRAP}
        what = pn.Row(self._table, self._since, self._sample, **look)
        limits = pn.Row(self._budget, self._existing, self._name, **look)
        return pn.Column(
            panes.card("What is judged", what, self._filter.view()),
            panes.card("By which evaluators", self._evaluators, self._judge, self._folded),
            panes.card("Limits", limits),
            sizing_mode="stretch_width", margin=0, styles={"gap": "14px"},
        )  # fmt: skip

    async def begin(self) -> None:
        """Be ready to be filled in."""
        await self._filter.suggest()

    def asked(self) -> NewRun:
        """What is filled in; raises InvalidRequest."""
        draft = self._draft
        since = datetime.now(UTC) - RANGES[draft.since] if draft.since else None
        share = number(draft.sample, "sample") / 100
        budget = number(draft.budget, "budget") if draft.budget.strip() else None
        if not self._evaluators.value:
            raise InvalidRequest("evaluators", "are needed: choose at least one")
        with requested("run"):
            selection = Selection(since=since, where=self._where(), sample=share if share < 1 else None)
            return NewRun(
                table=SelectedTable(draft.table), selection=selection, budget_usd=budget,
                evaluators=tuple(self._spec(name) for name in self._evaluators.value),
                on_existing=OnExisting(draft.existing), name=self._name.value_input.strip(),
            )  # fmt: skip

    def _where(self) -> Expression | None:
        conditions = self._filter.conditions()
        return AllOf(conditions=conditions) if conditions else None

    def _spec(self, name: str) -> EvaluatorSpec:
        settings, judge = self._settings[name], None
        if settings.entry.kind == "judge":
            provider, model = self._model.chosen()
            judge = JudgeSpec(provider=provider, model=model)
        return EvaluatorSpec(name=name, parameters=settings.parameters(), judge=judge, sources=settings.sources())

    def _columns(self) -> Mapping[str, Asked]:
        return asked_of(EXPOSED[SelectedTable(self._draft.table)].filters)

    def _filtered(self) -> None:
        try:
            self._draft.where = text_of(self._filter.conditions())
        except InvalidRequest:
            # Half a condition is none yet; planning the run says what it lacks.
            self._changed()

    def _tell(self, *events: Any) -> None:
        if any(event.name == "table" for event in events):
            self._filter.offer(self._columns(), self._suggesting(self._draft.table))
        self._changed()

    def _choose(self, *_: object) -> None:
        model = "/".join(self._model.chosen()) if self._model.box.value else ""
        self._draft.param.update(evaluators=",".join(self._evaluators.value), judge=model)
        self._follow()
        self._changed()

    def _follow(self) -> None:
        """Ask for what the chosen evaluators need."""
        names = self._evaluators.value
        self._settings = {name: self._settings.get(name) or EvaluatorSettings(_catalogue()[name]) for name in names}
        needs_judge = any(one.entry.kind == "judge" for one in self._settings.values())
        asked = self._model.box if self._offers else panes.html(evaluation.no_model(self._link))
        self._judge[:] = [asked] if needs_judge else []
        parts = [(f"{name}: parameters and inputs", one.view()) for name, one in self._settings.items()]
        self._folded[:] = [panes.folded(*parts)] if parts else []

"""The control row: the time range, the environment and what else narrows a page; its state is the page's scope."""

from collections.abc import Mapping, Sequence
from typing import Any

import panel_material_ui as pmui

from dashboard.state import RANGES, Scope

ALL_ENVIRONMENTS = "All environments"
RANGE_TITLES = {"1h": "1 hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
_TITLES = {"tag": "Tag", "model": "Model", "evaluator": "Evaluator version"}
# The height of every control.
FIELD = {"&.MuiInputBase-root, & .MuiInputBase-root": {"height": "38px"}}
_LOOK: dict[str, Any] = {"size": "small", "margin": (0, 10, 0, 0), "sx": FIELD}


class ScopeRow:
    """The controls over one scope; `own` is a switch for pages that list, or count, what the platform makes itself.

    Args:
        scope: what they change.
        narrowed_by: which of `tag`, `model` and `evaluator` the page can use beside time range and environment.
    """

    def __init__(self, scope: Scope, narrowed_by: Sequence[str] = ()) -> None:
        self._scope = scope
        self.names = ("range", "environment", "own", *narrowed_by)
        self._period = pmui.Select.from_param(
            scope.param.range, label="Period", options={RANGE_TITLES[key]: key for key in RANGES}, width=112, **_LOOK
        )
        self._environment = pmui.Select(
            label="Environment", options={ALL_ENVIRONMENTS: ""}, value="", width=160, **_LOOK
        )
        self._environment.param.watch(lambda event: setattr(scope, "environment", event.new), "value")
        self._boxes = {name: self._box(name) for name in narrowed_by}
        self.own = pmui.Switch(label="Judges' calls", value=bool(scope.own), margin=(0, 4))
        self.own.param.watch(lambda event: setattr(scope, "own", "shown" if event.new else ""), "value")
        scope.param.watch(lambda event: setattr(self.own, "value", bool(event.new)), "own")

    def controls(self) -> list[Any]:
        """The time range, the environment, and the rest."""
        return [self._period, self._environment, *self._boxes.values()]

    def offer(self, values: Mapping[str, Sequence[str]]) -> None:
        """Fill the choices, by name; what is chosen stays among them, since a choice that is not would be dropped."""
        known = sorted(self._with_chosen("environment", values["environment"]))
        options = {ALL_ENVIRONMENTS: "", **{name: name for name in known}}
        self._environment.param.update(options=options, value=self._scope.environment)
        for name, box in self._boxes.items():
            box.options = self._with_chosen(name, values[name])

    def _with_chosen(self, name: str, values: Sequence[str]) -> list[str]:
        chosen = getattr(self._scope, name)
        return [*([chosen] if chosen and chosen not in values else []), *values]

    def _box(self, name: str) -> pmui.AutocompleteInput:
        box = pmui.AutocompleteInput(
            label=_TITLES[name], value=getattr(self._scope, name), options=self._with_chosen(name, []), restrict=False,
            min_characters=0, case_sensitive=False, search_strategy="includes", width=140, **_LOOK,
        )  # fmt: skip
        box.param.watch(lambda event: setattr(self._scope, name, event.new or ""), "value")
        return box

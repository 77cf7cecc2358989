"""What fills the variables of a prompt: for each a field of the target, and a JSONPath into it."""

from collections.abc import Mapping, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components import panes
from heliograph.domain.evaluation_rules import SOURCES, MappingSource, RuleTarget, VariableMapping
from heliograph.variables import DEFAULT_SOURCES, Source

_WORDS = {source: str(source).replace("_", " ") for source in MappingSource}
_LOOK: dict[str, Any] = {"size": "small", "margin": 0}
_ROW = {"gap": "10px", "flex-wrap": "wrap"}


class VariableMappingForm:
    """One row for each variable; what was chosen for a name stays while the prompt is edited."""

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}
        self._shown: Sequence[str] = ()
        self._target = RuleTarget.OBSERVATION
        self._view = pn.Column(sizing_mode="stretch_width", margin=(4, 0, 0, 0))

    def view(self) -> pn.Column:
        """The form."""
        return self._view

    def offer(self, variables: Sequence[str], target: RuleTarget) -> None:
        """Show these variables, and the fields that a target of this kind has."""
        if variables == self._shown and target is self._target and self._view.objects:
            return
        self._shown, self._target = variables, target
        for name in variables:
            row = self._rows.setdefault(name, _Row(name))
            row.offer(SOURCES[target])
        rows = [self._rows[name].view for name in variables]
        self._view[:] = rows or [panes.html('<p class="absent">The prompt has no {{variables}} yet.</p>')]

    def adopt(self, mapping: Sequence[VariableMapping]) -> None:
        """Begin with what fills these variables; before they are offered."""
        self._rows |= {one.variable: _Row(one.variable, one) for one in mapping}

    def mapping(self) -> tuple[VariableMapping, ...]:
        """What was chosen; raises InvalidRequest when a path is none."""
        return tuple(self._rows[name].mapping() for name in self._shown)


class _Row:
    def __init__(self, name: str, known: VariableMapping | None = None) -> None:
        self.name = name
        self._first = known.source if known else _guessed(name)
        self.source = pmui.Select(label=f"{name} is", options=[], width=220, **_LOOK)
        self.path = pmui.TextInput(label=f"JSONPath of {name}", placeholder="all of it", width=260, **_LOOK)
        if known:
            self.path.param.update(value=known.json_path, value_input=known.json_path)
        self.view = pn.Row(self.source, self.path, sizing_mode="stretch_width", margin=(6, 0), styles=_ROW)

    def offer(self, sources: Sequence[MappingSource]) -> None:
        chosen = self.source.value or self._first
        options: Mapping[str, str] = {_WORDS[source]: str(source) for source in sources}
        known = chosen if chosen in options.values() else next(iter(options.values()))
        self.source.param.update(options=dict(options), value=known)

    def mapping(self) -> VariableMapping:
        path = self.path.value_input.strip()
        # It says what is wrong with a path.
        Source(self.source.value, path)
        return VariableMapping(self.name, MappingSource(self.source.value), path)


def _guessed(name: str) -> str:
    """The field that a variable of this name most likely stands for."""
    known = DEFAULT_SOURCES.get(name, name)
    if known in set(MappingSource):
        return known
    words = {"answer": "output", "response": "output", "completion": "output", "reference": "expected_output"}
    return words.get(name.lower(), "input")

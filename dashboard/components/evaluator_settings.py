"""The parameters of an evaluator of the catalogue, and where it reads its inputs, as a form."""

import json
from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components import panes
from evals.catalogue import Entry
from heliograph.domain.evaluation_runs import SourceSpec
from heliograph.variables import DEFAULT_SOURCES

_BOX: dict[str, Any] = {"size": "small", "width": 220, "margin": 0}
_ROW = {"gap": "10px", "flex-wrap": "wrap"}
# Given by the run, not by who fills in the form.
_GIVEN = {"judge", "embedder"}


class EvaluatorSettings:
    """One evaluator.

    Args:
        entry: of the catalogue.
    """

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        told = dict(text.partition("=")[::2] for text in entry.parameters)
        self._parameters = {
            name: pmui.TextInput(label=name.replace("_", " "), placeholder=default.strip("'"), **_BOX)
            for name, default in told.items()
            if name not in _GIVEN
        }
        self._columns = {
            name: pmui.TextInput(label=f"{name}: column", placeholder=DEFAULT_SOURCES.get(name, name), **_BOX)
            for name in (*entry.inputs, *entry.optional)
        }
        self._paths = {
            name: pmui.TextInput(label=f"{name}: JSONPath", placeholder="$", **_BOX) for name in self._columns
        }

    def view(self) -> pn.Column:
        """The form."""
        words = panes.html(f'<p class="quiet">{self.entry.summary} Gives {self.entry.values}.</p>')
        inputs = [
            pn.Row(self._columns[name], self._paths[name], sizing_mode="stretch_width", margin=(4, 0), styles=_ROW)
            for name in self._columns
        ]
        parameters = pn.Row(*self._parameters.values(), sizing_mode="stretch_width", margin=(4, 0), styles=_ROW)
        shown = [parameters] if self._parameters else []
        return pn.Column(words, *shown, *inputs, sizing_mode="stretch_width", margin=0)

    def parameters(self) -> dict[str, Any]:
        """Those that were given."""
        return {name: _read(text) for name, box in self._parameters.items() if (text := box.value_input.strip())}

    def sources(self) -> dict[str, SourceSpec]:
        """Where inputs are read from, of those for which it was said."""
        found = {}
        for name, box in self._columns.items():
            column, path = box.value_input.strip(), self._paths[name].value_input.strip()
            if column or path:
                found[name] = SourceSpec(column=column or DEFAULT_SOURCES.get(name, name), json_path=path)
        return found


def _read(text: str) -> Any:
    """JSON where it is some, a list where there are commas, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return [part.strip() for part in text.split(",")] if "," in text else text

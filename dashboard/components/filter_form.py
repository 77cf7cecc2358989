"""The filter language as rows of a form: a column, a comparison and a value each; all of them must hold."""

import json
from collections.abc import Callable, Mapping, Sequence
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import panel as pn
import panel_material_ui as pmui

from dashboard.components.units import words
from heliograph.domain import filters
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Condition
from heliograph.domain.rule_filters import Allowed
from heliograph.domain.validation import requested
from storage.clickhouse.columns import Columns, Kind

_BOX: dict[str, Any] = {"size": "small", "margin": 0}
_ROW = {"gap": "10px", "flex-wrap": "wrap", "align-items": "center"}
_MODELS = (
    filters.DatetimeCondition, filters.TextCondition, filters.TextOptionsCondition, filters.CategoryOptionsCondition,
    filters.ArrayOptionsCondition, filters.NumberCondition, filters.TextObjectCondition,
    filters.NumberObjectCondition, filters.BooleanObjectCondition, filters.BooleanCondition,
    filters.PositionCondition, filters.NullCondition,
)  # fmt: skip
_TYPES: Mapping[Kind, str] = {
    Kind.TEXT: "string", Kind.PAYLOAD: "string", Kind.TEXTS: "arrayOptions", Kind.TIME: "datetime",
    Kind.NUMBER: "number", Kind.BOOLEAN: "boolean", Kind.JSON_MAP: "stringObject", Kind.NUMBER_MAP: "numberObject",
    Kind.TEXT_MAP: "categoryOptions", Kind.POSITION: "positionInTrace",
}  # fmt: skip
_SEVERAL = {"stringOptions", "categoryOptions", "arrayOptions"}
_HINTS = {
    "datetime": "2026-01-31T12:00Z", "number": "0", "boolean": "true", "positionInTrace": "1", "numberObject": "0",
    **dict.fromkeys(_SEVERAL, "one, another"),
}  # fmt: skip
_PLACES = "root, first, last, nthFromStart, nthFromEnd"


def _choices(annotation: Any) -> list[str]:
    """The texts of a Literal, or of several."""
    if get_origin(annotation) in {Union, UnionType}:
        return [text for part in get_args(annotation) for text in _choices(part)]
    return list(get_args(annotation)) if get_origin(annotation) is Literal else []


_OPERATORS = {
    _choices(model.model_fields["type"].annotation)[0]: _choices(model.model_fields["operator"].annotation)
    for model in _MODELS
}
_KEYED = {_choices(model.model_fields["type"].annotation)[0] for model in _MODELS if "key" in model.model_fields}


def asked_of(columns: Columns) -> dict[str, Allowed]:
    """What can be asked of the columns of a stored table."""
    return {name: Allowed(_TYPES[column.kind]) for name, column in columns.items()}


def text_of(conditions: Sequence[Condition]) -> str:
    """Conditions as an address keeps them; '' where there are none."""
    return json.dumps([each.model_dump(mode="json") for each in conditions]) if conditions else ""


def conditions_of(text: str) -> tuple[Condition, ...]:
    """The inverse of `text_of`; raises InvalidRequest."""
    with requested("filter"):
        return filters.conditions_from(text) if text else ()


class FilterForm:
    """Rows of conditions.

    Args:
        allowed: what can be asked, by column.
        conditions: those that the form begins with.
        changed: is called when another filter may be filled in.
    """

    def __init__(
        self, allowed: Mapping[str, Allowed], conditions: Sequence[Condition], changed: Callable[[], None]
    ) -> None:
        self._allowed, self._changed = allowed, changed
        self._column = pn.Column(sizing_mode="stretch_width", margin=0, styles={"gap": "10px"})
        self._add = pmui.Button(label="Add a condition", icon="add", variant="text", size="small", margin=(8, 0, 0, 0))
        self._add.on_click(lambda *_: self._append(None))
        self._rows: list[_Row] = []
        for condition in conditions:
            self._append(condition)

    def view(self) -> pn.Column:
        """The rows, and the button that adds one."""
        return pn.Column(self._column, self._add, sizing_mode="stretch_width", margin=0)

    def conditions(self) -> tuple[Condition, ...]:
        """What is filled in; raises InvalidRequest."""
        return tuple(row.condition() for row in self._rows)

    def offer(self, allowed: Mapping[str, Allowed]) -> None:
        """Let other columns be asked; conditions on those that are no more there go."""
        self._allowed = allowed
        for row in [row for row in self._rows if not row.offer(allowed)]:
            self._remove(row)

    def _append(self, condition: Condition | None) -> None:
        row = _Row(self._allowed, condition, self._changed)
        row.away.on_click(lambda *_: self._remove(row))
        self._rows.append(row)
        self._show()

    def _remove(self, row: "_Row") -> None:
        self._rows.remove(row)
        self._show()
        self._changed()

    def _show(self) -> None:
        self._column[:] = [row.view() for row in self._rows]


class _Row:
    """One condition."""

    def __init__(
        self, allowed: Mapping[str, Allowed], condition: Condition | None, changed: Callable[[], None]
    ) -> None:
        self._allowed = allowed
        first = condition.column if condition and condition.column in allowed else next(iter(allowed))
        self._name = pmui.Select(label="Where", options=[], width=190, **_BOX)
        self._key = pmui.TextInput(label="Key", width=130, **_BOX)
        self._operator = pmui.Select(label="Comparison", options=[], width=160, **_BOX)
        self._value = pmui.TextInput(label="Value", width=240, **_BOX)
        self.away = pmui.Button(label="Remove", icon="close", variant="text", size="small", margin=0)
        self._view = pn.Row(
            self._name, self._key, self._operator, self._value, self.away,
            sizing_mode="stretch_width", margin=(4, 0, 0, 0), styles=_ROW,
        )  # fmt: skip
        self.offer(allowed, first)
        if condition is not None:
            self._key.value = str(getattr(condition, "key", ""))
            self._operator.value = condition.operator
            self._value.value = _written(getattr(condition, "value", ""))
            self._follow()
        for box in (self._name, self._key, self._operator, self._value):
            box.param.watch(self._follow, "value")
            box.param.watch(lambda *_: changed(), "value")

    def view(self) -> pn.Row:
        return self._view

    def offer(self, allowed: Mapping[str, Allowed], chosen: str = "") -> bool:
        """Let other columns be chosen; whether the one that was is among them."""
        chosen = chosen or self._name.value
        self._allowed = allowed
        if chosen not in allowed:
            return False
        self._name.param.update(options={words(name): name for name in allowed}, value=chosen)
        self._follow()
        return True

    def condition(self) -> Condition:
        """What is filled in; raises InvalidRequest."""
        name, kind = self._name.value, self._kind
        parts: dict[str, Any] = {"type": kind, "column": name, "operator": self._operator.value}
        if kind in _KEYED:
            parts["key"] = self._key.value_input.strip()
        if self._value.visible:
            text = self._value.value_input
            parts["value"] = _several(text) if kind in _SEVERAL else text
        with requested("filter"):
            return filters.conditions_from(json.dumps([parts]))[0]

    @property
    def _kind(self) -> str:
        return self._allowed[self._name.value].type

    def _follow(self, *_: object) -> None:
        """Ask for what the chosen column needs."""
        kind, values = self._allowed[self._name.value]
        operators = _OPERATORS[kind]
        if self._operator.options != operators:
            kept = self._operator.value if self._operator.value in operators else operators[0]
            self._operator.param.update(options=operators, value=kept)
        self._key.visible = kind in _KEYED
        self._key.placeholder = _PLACES if kind == "positionInTrace" else ""
        self._value.visible = kind != "null" and not self._operator.value.startswith("is ")
        self._value.placeholder = ", ".join(values) or _HINTS.get(kind, "")


def _several(text: str) -> list[str]:
    found = [part for each in text.split(",") if (part := each.strip())]
    if not found:
        raise InvalidRequest("filter", "says nothing to compare with: give a value, or several with commas")
    return found


def _written(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)

"""The filter language as rows of a form: a column, a comparison and a value each; all of them must hold."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import panel as pn
import panel_material_ui as pmui

from dashboard.components.comparisons import KEYED, SEVERAL, Asked, Comparison, comparison_of
from dashboard.components.scope_row import FIELD
from dashboard.components.units import words
from heliograph.domain import filters
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import Condition
from heliograph.domain.validation import requested

_BOX: dict[str, Any] = {"size": "small", "margin": 0, "sx": FIELD}
_ROW = {"gap": "10px", "flex-wrap": "wrap", "align-items": "center"}
_HINTS = {
    "datetime": "2026-01-31T12:00Z", "number": "0", "boolean": "true", "booleanObject": "true",
    "positionInTrace": "1", "numberObject": "0", **dict.fromkeys(SEVERAL, "one, another"),
}  # fmt: skip
_TRUTH = ("true", "false")
_PLACES = ("root", "first", "last", "nthFromStart", "nthFromEnd")


class Suggesting(Protocol):
    """What a filter can be filled with, the most frequent first; see `dashboard.queries.suggestions`."""

    async def values(self, column: str, /) -> Sequence[str]:
        """The values of a column."""
        ...

    async def keys(self, column: str, /) -> Sequence[str]:
        """The keys of a column of maps."""
        ...

    async def entries(self, column: str, key: str, /) -> Sequence[str]:
        """What the maps of a column hold under a key."""
        ...


class FilterForm:
    """Rows of conditions.

    Args:
        asked: what can be asked, by column.
        conditions: those that the form begins with.
        suggesting: what the boxes suggest.
        changed: is called when another filter may be filled in.
        entered: is called when a value is chosen, or ended by the key Enter.
    """

    def __init__(
        self,
        asked: Mapping[str, Asked],
        conditions: Sequence[Condition],
        suggesting: Suggesting,
        *,
        changed: Callable[[], None] = lambda: None,
        entered: Callable[[], None] = lambda: None,
    ) -> None:
        self._asked, self._suggesting, self._changed, self._entered = asked, suggesting, changed, entered
        self._column = pn.Column(sizing_mode="stretch_width", margin=0, styles={"gap": "10px"})
        self._add = pmui.Button(label="Add a condition", icon="add", variant="text", size="small", margin=(8, 0, 0, 0))
        self._add.on_click(self._more)
        self._rows: list[_Row] = []
        for condition in conditions:
            self._append(condition)

    def view(self) -> pn.Column:
        """The rows, and the button that adds one."""
        return pn.Column(self._column, self._add, sizing_mode="stretch_width", margin=0)

    def conditions(self) -> tuple[Condition, ...]:
        """What is filled in; raises InvalidRequest."""
        return tuple(row.condition() for row in self._rows)

    def offer(self, asked: Mapping[str, Asked], suggesting: Suggesting) -> None:
        """Let other columns be asked; conditions on those that are no more there go."""
        self._asked, self._suggesting = asked, suggesting
        for row in [row for row in self._rows if not row.offer(asked, suggesting)]:
            self._remove(row)

    @property
    def is_empty(self) -> bool:
        """Whether there is no row."""
        return not self._rows

    async def add(self) -> None:
        """Add a row."""
        await self._append(None).suggest()

    async def suggest(self) -> None:
        """Offer what occurs in the columns of the rows that there are."""
        for row in self._rows:
            await row.suggest()

    async def _more(self, *_: object) -> None:
        await self.add()

    def _append(self, condition: Condition | None) -> "_Row":
        row = _Row(self._asked, condition, self._suggesting, changed=self._changed, entered=self._entered)
        row.away.on_click(lambda *_: self._remove(row))
        self._rows.append(row)
        self._show()
        return row

    def _remove(self, row: "_Row") -> None:
        self._rows.remove(row)
        self._show()
        self._changed()

    def _show(self) -> None:
        self._column[:] = [row.view() for row in self._rows]


class _Row:
    """One condition."""

    def __init__(
        self,
        asked: Mapping[str, Asked],
        condition: Condition | None,
        suggesting: Suggesting,
        *,
        changed: Callable[[], None],
        entered: Callable[[], None],
    ) -> None:
        self._asked, self._suggesting = asked, suggesting
        self._known: Sequence[str] = ()
        self._name = pmui.Select(label="Where", options=[], width=190, **_BOX)
        self._key = _completing("Key", 160)
        self._comparison = pmui.Select(label="Comparison", options=[], width=190, **_BOX)
        self._value = _completing("Value", 260)
        self.away = pmui.Button(label="Remove", icon="close", variant="text", size="small", margin=0)
        self._view = pn.Row(
            self._name, self._key, self._comparison, self._value, self.away,
            sizing_mode="stretch_width", margin=(4, 0, 0, 0), styles=_ROW,
        )  # fmt: skip
        self.offer(
            asked, suggesting, condition.column if condition else "name" if "name" in asked else next(iter(asked))
        )
        if condition is not None:
            self._fill(condition)
        for box, event in self._events:
            box.param.watch(self._follow, event)
            box.param.watch(lambda *_: changed(), event)
        self._name.param.watch(self._suggest, "value")
        self._key.param.watch(self._suggest, "value")
        self._value.param.watch(self._complete, "value_input")
        self._value.param.watch(lambda event: entered() if event.new else None, "value")

    @property
    def _events(self) -> list[tuple[Any, str]]:
        # What is typed counts, though it may not be ended by Enter.
        typed = [(box, "value_input") for box in (self._key, self._value)]
        return [(self._name, "value"), (self._comparison, "value"), *typed]

    def view(self) -> pn.Row:
        return self._view

    def offer(self, asked: Mapping[str, Asked], suggesting: Suggesting, chosen: str = "") -> bool:
        """Let other columns be chosen; whether the one that was is among them."""
        chosen = chosen or self._name.value
        self._asked, self._suggesting = asked, suggesting
        if chosen not in asked:
            return False
        self._name.param.update(options={words(name): name for name in asked}, value=chosen)
        self._follow()
        return True

    def condition(self) -> Condition:
        """What is filled in; raises InvalidRequest."""
        name, chosen = self._name.value, self._chosen
        parts: dict[str, Any] = {"type": chosen.type, "column": name, "operator": chosen.operator}
        if chosen.type in KEYED:
            parts["key"] = _needed(self._key, f"{words(name)} needs a key")
        if self._value.visible:
            text = _needed(self._value, f"{words(name)} {chosen.operator}: compared with what?")
            parts["value"] = _several(text) if chosen.type in SEVERAL else text
        with requested("filter"):
            return filters.conditions_from(json.dumps([parts]))[0]

    async def suggest(self) -> None:
        """Offer what occurs in the chosen column, and under the chosen key."""
        name, key = self._name.value, self._key.value or ""
        if self._chosen.type == "positionInTrace":
            _offer(self._key, _PLACES)
        elif self._chosen.type in KEYED:
            _offer(self._key, await self._suggesting.keys(name))
            self._known = await self._suggesting.entries(name, key) if key else ()
        else:
            self._known = self._values or await self._suggesting.values(name)
        self._complete()

    async def _suggest(self, *_: object) -> None:
        await self.suggest()

    def _fill(self, condition: Condition) -> None:
        comparison = comparison_of(condition)
        offered: dict[str, Comparison] = self._comparison.options
        if comparison not in offered.values():
            self._comparison.options = {**offered, comparison.operator: comparison}
        self._comparison.value = comparison
        _put(self._key, str(getattr(condition, "key", "")))
        _put(self._value, _written(getattr(condition, "value", "")))
        self._follow()

    @property
    def _chosen(self) -> Comparison:
        chosen: Comparison = self._comparison.value
        return chosen

    @property
    def _values(self) -> Sequence[str]:
        return _TRUTH if self._chosen.type in {"boolean", "booleanObject"} else self._asked[self._name.value].values

    def _follow(self, *_: object) -> None:
        """Ask for what the chosen column and comparison need."""
        comparisons = self._asked[self._name.value].comparisons
        if not set(comparisons.items()) <= set((self._comparison.options or {}).items()):
            kept = self._chosen if self._chosen in comparisons.values() else next(iter(comparisons.values()))
            self._comparison.param.update(options=dict(comparisons), value=kept)
        kind = self._chosen.type
        self._key.visible = kind in KEYED
        self._value.visible = kind != "null" and self._chosen.needs_value
        self._value.placeholder = _HINTS.get(kind, "")

    def _complete(self, *_: object) -> None:
        """Of several values, suggest the next one."""
        head = ""
        if self._chosen.type in SEVERAL and "," in (text := self._value.value_input or ""):
            head = text.rpartition(",")[0] + ", "
        _offer(self._value, [head + value for value in self._known])


def _first(asked: Mapping[str, Asked]) -> str:
    """What people ask most."""
    return "name" if "name" in asked else next(iter(asked))


def _completing(label: str, width: int) -> pmui.AutocompleteInput:
    return pmui.AutocompleteInput(
        label=label, options=[], value=None, restrict=False, min_characters=0, case_sensitive=False,
        search_strategy="includes", width=width, **_BOX,
    )  # fmt: skip


def _put(box: pmui.AutocompleteInput, text: str) -> None:
    """Have the box hold a text; one that is not among its options would be dropped when it is shown."""
    if text:
        box.param.update(options=[text], value=text)


def _offer(box: pmui.AutocompleteInput, values: Sequence[str]) -> None:
    """Suggest these, beside what the box holds."""
    held = box.value or ""
    offered = [*([held] if held and held not in values else []), *values]
    if box.options != offered:
        box.options = offered


def _needed(box: pmui.AutocompleteInput, reason: str) -> str:
    text = (box.value_input or "").strip()
    if not text:
        raise InvalidRequest("filter", reason)
    return text


def _several(text: str) -> list[str]:
    return [part for each in text.split(",") if (part := each.strip())]


def _written(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)

"""The rules of one field, applied to texts, and to texts that hold JSON."""

from collections.abc import Callable, Sequence
from typing import Any

import re2

from heliograph.domain.masking import MaskingRule
from ingestion import values
from ingestion.masking import captured, json_text
from ingestion.masking.expressions import options
from ingestion.masking.finders import Hiding
from ingestion.values import Value

Note = Callable[[MaskingRule, str], None]
_BETWEEN = "\0"
# Shorter whole numbers are counts more often than anything that is to be hidden.
_LEAST_NUMBER = 1 << 21
# In a message of OTLP: the text that `captured` looks for, and numbers from there on, whose digits are not in it.
_WIRE_HINTS = (captured.SUSPECT, r"[\x0a\x12](?:[\x05-\x0b]\x18|\x09\x21)")


class TextMasker:
    """Hides what the rules find.

    Args:
        hidings: the rules in their order: one sees what those before it have left.
        note: is told of everything that is hidden.
    """

    def __init__(self, hidings: Sequence[Hiding], note: Note | None = None) -> None:
        self._hidings = tuple(hidings)
        self._note = note
        hints = [one.finder.hint for one in hidings]
        self._hints = _set_of(hints)
        self._wire_hints = _set_of([*hints, *_WIRE_HINTS])

    def text(self, content: str) -> str:
        """The text without it, and without the secrets of captured calls; if it is JSON, it stays JSON."""
        try:
            return self._masked(values.clean(captured.text(content)))
        except RecursionError:  # nobody means such a thing, and nobody will read it
            return captured.HIDDEN

    def value(self, value: Value, depth: int = 0) -> Value:
        """JSON without it, in names of members too; the same object when there is none."""
        if isinstance(value, str):
            masked = self.text(value)
            return value if masked == value else masked
        if depth > values.MAX_DEPTH:
            return captured.HIDDEN if isinstance(value, dict | list) and value else value
        if isinstance(value, list):
            elements = [self.value(element, depth + 1) for element in value]
            return value if all(map(_is, elements, value)) else elements
        if isinstance(value, dict):
            members = {self.text(key): self.value(element, depth + 1) for key, element in value.items()}
            is_same = members.keys() == value.keys() and all(members[key] is found for key, found in value.items())
            return value if is_same else members
        return self.number(value)

    def number(self, value: Value) -> Value:
        """A number, or a text where a rule found something in its digits."""
        if value is None or isinstance(value, bool | str) or not self._hidings:
            return value
        if isinstance(value, int) and abs(value) < _LEAST_NUMBER:
            return value
        content = values.to_json(value)
        masked = self._replaced(content)
        return value if masked == content else masked

    def is_clear(self, raw: bytes) -> bool:
        """Whether nothing is to be hidden in this message of OTLP; quick, and sure only if so."""
        return b"\\" not in raw and self.shows_nothing(raw)

    def shows_nothing(self, raw: bytes) -> bool:
        """The same, but for what is behind escapes."""
        return self._wire_hints is not None and not self._wire_hints.Match(raw)

    def _masked(self, content: str) -> str:
        if not self._hidings or not content:
            return content
        found = json_text.parsed(content)
        if not self._may_hold(content, found):
            return content
        if found is not None:
            masked = self.value(found.value)
            if masked is not found.value:
                content = values.to_json(masked)
        elif "\\" in content:
            loose = json_text.unescaped(content)
            masked_loose = self._replaced(values.clean(loose))
            if masked_loose != loose:
                return masked_loose
        return self._replaced(content)

    def _may_hold(self, content: str, found: json_text.Parsed | None) -> bool:
        if self._hints is None or self._hints.Match(content.encode()):
            return True
        if "\\" not in content:
            return False
        # Behind escapes: all that is in it, as one text.
        behind = json_text.unescaped(content) if found is None else _BETWEEN.join(json_text.leaves(found.value))
        return bool(self._hints.Match(values.clean(behind).encode()))

    def _hinted(self, hints: re2.Set, content: str) -> list[Hiding]:
        """The rules that may find something."""
        places: Any = hints.Match(content.encode()) or ()
        return [self._hidings[place] for place in sorted(places)]

    def _replaced(self, content: str) -> str:
        for hiding in self._hidings if self._hints is None else self._hinted(self._hints, content):
            parts: list[str] = []
            reached = 0
            for start, end in hiding.finder.spans(content):
                if self._note is not None:
                    self._note(hiding.rule, content[start:end])
                parts += [content[reached:start], hiding.replacement]
                reached = end
            if parts:
                content = "".join([*parts, content[reached:]])
        return content


def _is(one: Value, other: Value) -> bool:
    return one is other


def _set_of(hints: Sequence[str | None]) -> re2.Set | None:
    """All of them as one automaton; None where a rule has to be asked always."""
    known = [hint for hint in hints if hint is not None]
    if not hints or len(known) < len(hints):
        return None
    found = re2.Set.SearchSet(options())
    try:
        for hint in known:
            found.Add(hint)
        found.Compile()
    except re2.error:
        return None
    return found

"""Masking: what must not be stored is replaced before a record is made of it, on every path."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ingestion import values, wire
from ingestion.values import Value

_MAX_DEPTH = values.MAX_DEPTH


class MaskingRule(Protocol):
    """Replaces what must not be stored in one text."""

    def masked(self, text: str) -> str:
        """The text without what the rule hides."""
        ...


@dataclass(frozen=True)
class RegexRule:
    """Hides every match of a regular expression."""

    pattern: re.Pattern[str]
    replacement: str = "***"

    def masked(self, text: str) -> str:
        """The text with every match replaced."""
        return self.pattern.sub(self.replacement, text)


class Masker:
    """Applies a project's rules, in their order, to every text of an event; keys and ids stay as they are."""

    def __init__(self, rules: Sequence[MaskingRule] = ()) -> None:
        self._rules = tuple(rules)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to hide."""
        return not self._rules

    def text(self, content: str) -> str:
        """The text after all rules."""
        for rule in self._rules:
            content = rule.masked(content)
        return content

    def value(self, value: Value) -> Value:
        """JSON with every text in it masked."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(element) for element in value]
        if isinstance(value, dict):
            return {key: self.value(element) for key, element in value.items()}
        return value

    def resource(self, raw: bytes) -> bytes:
        """A serialized Resource, masked."""
        return raw if self.is_idle else self._with_attributes(wire.Resource, raw)

    def scope(self, raw: bytes) -> bytes:
        """A serialized InstrumentationScope, masked."""
        return raw if self.is_idle else self._with_attributes(wire.Scope, raw)

    def span(self, raw: bytes) -> bytes:
        """A serialized Span, masked: its name, status, attributes, events and links.

        A span that cannot be read comes back empty, so that it is rejected, and no part of it is stored.
        """
        if self.is_idle:
            return raw
        span = wire.lenient(wire.Span, raw)
        span.name = self._bytes(span.name)
        span.attributes[:] = map(self._attribute, span.attributes)
        span.events[:] = [self._with_attributes(wire.Event, event) for event in span.events]
        span.links[:] = [self._with_attributes(wire.Link, link) for link in span.links]
        if span.status:
            status = wire.lenient(wire.Status, span.status)
            status.message = self._bytes(status.message)
            span.status = status.SerializeToString()
        return bytes(span.SerializeToString())

    def _with_attributes(self, kind: Any, raw: bytes) -> bytes:  # generated messages
        message = wire.lenient(kind, raw)
        message.attributes[:] = map(self._attribute, message.attributes)
        return bytes(message.SerializeToString())

    def _attribute(self, raw: bytes) -> bytes:
        pair = wire.lenient(wire.KeyValue, raw)
        pair.value = self._any_value(pair.value, 0)
        return bytes(pair.SerializeToString())

    def _any_value(self, raw: bytes, depth: int) -> bytes:
        if depth > _MAX_DEPTH:
            return b""
        value = wire.lenient(wire.AnyValue, raw)
        kind = value.WhichOneof("value")
        if kind == "string_value":
            value.string_value = self._bytes(value.string_value)
        elif kind == "array_value":
            inner = wire.lenient(wire.Values, value.array_value)
            inner.values[:] = [self._any_value(element, depth + 1) for element in inner.values]
            value.array_value = inner.SerializeToString()
        elif kind == "kvlist_value":
            inner = wire.lenient(wire.Values, value.kvlist_value)
            inner.values[:] = [self._attribute(pair) for pair in inner.values]
            value.kvlist_value = inner.SerializeToString()
        return bytes(value.SerializeToString())

    def _bytes(self, content: bytes) -> bytes:
        return values.clean(self.text(content.decode("utf-8", "replace"))).encode()

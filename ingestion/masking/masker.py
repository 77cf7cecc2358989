"""A project's rules applied to what comes over the wire: OTLP's messages, and JSON."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from heliograph.domain.masking import MaskedField
from ingestion import values, wire
from ingestion.masking import captured, fields
from ingestion.masking.captured import Kind
from ingestion.masking.fields import Fields
from ingestion.masking.finders import Hiding, looks_into
from ingestion.masking.texts import Note, TextMasker
from ingestion.values import Value

# After these an attribute's name is the sender's own words.
_OWN_WORDS = "metadata."


class Masker:
    """Applies a project's rules, in their order, to every text of an event; ids stay as they are.

    Without rules it hides what is always hidden: the secrets of captured calls.

    Args:
        hidings: the rules.
        note: is told of everything that they hide.
    """

    def __init__(self, hidings: Sequence[Hiding] = (), note: Note | None = None) -> None:
        self._hidings = tuple(hidings)
        self._note = note
        self._all = self._for(fields.ANY)
        self._of: dict[Fields, TextMasker] = {fields.ANY: self._all}
        for one in (fields.NEITHER, *((field,) for field in MaskedField)):
            same = looks_into(hidings, *one) == looks_into(hidings, *fields.ANY)
            self._of[one] = self._all if same else self._for(one)

    @property
    def is_idle(self) -> bool:
        """Whether there are no rules."""
        return not self._hidings

    def text(self, content: str, looked_into: Fields = fields.NEITHER) -> str:
        """The text after the rules of these fields."""
        return self._of[looked_into].text(content)

    def value(self, value: Value, looked_into: Fields = fields.ANY) -> Value:
        """JSON with every text in it masked."""
        return self._of[looked_into].value(captured.value(value))

    def members(self, body: Mapping[str, Value], kept: Collection[str]) -> dict[str, Value]:
        """The body of an event, masked but for the members to be kept."""
        without = captured.value(dict(body))
        assert isinstance(without, dict)
        return {
            key if fields.is_member(key) or key in kept else self.text(key): value
            if key in kept
            else self._of[fields.of_member(key)].value(value)
            for key, value in without.items()
        }

    def spans(self, raws: list[bytes]) -> list[bytes]:
        """Serialized spans, masked; the same list where nothing can be to hide."""
        if not self.is_idle:
            return [self.span(raw) for raw in raws]
        suspects = captured.to_look_at(raws)
        if not suspects:
            return raws
        masked = list(raws)
        for number in suspects:
            masked[number] = self.span(raws[number])
        return masked

    def span(self, raw: bytes) -> bytes:
        """A serialized Span, masked: its name, status, attributes, events and links.

        A span that cannot be read comes back empty, so that it is rejected, and no part of it is stored.
        """
        if not self.is_idle:
            shows_nothing = self._all.shows_nothing(raw)
            if shows_nothing and b"\\" not in raw:
                return raw
        else:
            shows_nothing = False
        span = _lenient(wire.Span, raw)
        span.name = self._bytes(span.name, fields.NEITHER)
        span.trace_state = self._bytes(span.trace_state, fields.NEITHER)
        span.attributes[:] = [
            pair if shows_nothing and b"\\" not in pair else self._attribute(pair) for pair in span.attributes
        ]
        span.events[:] = [self._around(wire.Event, event, fields.ANY) for event in span.events]
        span.links[:] = [self._around(wire.Link, link, fields.ANY) for link in span.links]
        if span.status:
            span.status = self._around(wire.Status, span.status, fields.NEITHER)
        return bytes(span.SerializeToString())

    def resource(self, raw: bytes) -> bytes:
        """A serialized Resource, masked."""
        return self._known(wire.Resource, raw)

    def scope(self, raw: bytes) -> bytes:
        """A serialized InstrumentationScope, masked."""
        return self._known(wire.Scope, raw)

    def schema_url(self, raw: bytes) -> bytes:
        """The address of a schema, masked."""
        return raw if self.is_idle else self._bytes(raw, fields.NEITHER)

    def _known(self, kind: Any, raw: bytes) -> bytes:
        """Clients send the same ones with every request."""
        if not raw:
            return raw
        without = _without_captured(kind, raw)
        return without if self.is_idle else self._around(kind, without)

    def _around(self, kind: Any, raw: bytes, looked_into: Fields | None = None) -> bytes:  # generated messages
        message = _lenient(kind, raw)
        for name in ("name", "version", "message", "trace_state"):
            if content := getattr(message, name, b""):
                setattr(message, name, self._bytes(content, fields.NEITHER))
        if kind is not wire.Status:
            message.attributes[:] = [self._attribute(pair, looked_into) for pair in message.attributes]
        return bytes(message.SerializeToString())

    def _attribute(self, raw: bytes, looked_into: Fields | None = None) -> bytes:
        if not captured.is_suspect(raw) if self.is_idle else self._all.is_clear(raw):
            return raw
        pair = _lenient(wire.KeyValue, raw)
        key = pair.key.decode("utf-8", "replace")
        mask = _Values(self._of[looked_into or fields.of_attribute(key)])
        known, own_words, rest = key.partition(_OWN_WORDS)
        if own_words and not self.is_idle:
            pair.key = values.clean(known + own_words + mask.texts.text(rest)).encode()
        pair.value = mask.any_value(pair.value, captured.kind_of(key))
        return bytes(pair.SerializeToString())

    def _bytes(self, content: bytes, looked_into: Fields) -> bytes:
        return values.clean(self.text(content.decode("utf-8", "replace"), looked_into)).encode()

    def _for(self, looked_into: Fields) -> TextMasker:
        return TextMasker(looks_into(self._hidings, *looked_into), self._note)


class _Values:
    """Masks values of attributes."""

    def __init__(self, texts: TextMasker) -> None:
        self.texts = texts

    def any_value(self, raw: bytes, kind: Kind | None, depth: int = 0) -> bytes:
        """A serialized AnyValue, masked; what its name calls a secret is hidden whole."""
        if depth > values.MAX_DEPTH:
            return b""
        value = _lenient(wire.AnyValue, raw)
        which = value.WhichOneof("value")
        if which in {"array_value", "kvlist_value"} and kind is not Kind.SECRET:
            inner = _lenient(wire.Values, getattr(value, which))
            mask = self._pair if which == "kvlist_value" else self.any_value
            inner.values[:] = [mask(element, kind, depth + 1) for element in inner.values]
            setattr(value, which, inner.SerializeToString())
        elif which in {"string_value", "bytes_value"}:
            content = getattr(value, which)
            masked = self._content(content.decode("utf-8", "replace"), kind)
            if which == "string_value" or masked != content.decode("utf-8", "replace"):
                setattr(value, which, masked.encode())
        elif which in {"int_value", "double_value"}:
            masked_number = self.texts.number(getattr(value, which))
            if isinstance(masked_number, str):
                value.string_value = masked_number.encode()
        elif which is not None and kind is Kind.SECRET:
            value.string_value = captured.HIDDEN.encode()
        return bytes(value.SerializeToString())

    def _content(self, content: str, kind: Kind | None) -> str:
        return values.clean(self.texts.text(content if kind is None else captured.text(content, kind)))

    def _pair(self, raw: bytes, kind: Kind | None, depth: int) -> bytes:
        pair = _lenient(wire.KeyValue, raw)
        key = pair.key.decode("utf-8", "replace")
        of_member = captured.kind_of_member(key, kind) or captured.kind_of(key)
        pair.key = values.clean(self.texts.text(key)).encode()
        pair.value = self.any_value(pair.value, of_member, depth)
        return bytes(pair.SerializeToString())


def _lenient(kind: Any, raw: bytes) -> Any:  # generated messages
    """The message without what nobody here knows: it could not be masked."""
    message = wire.lenient(kind, raw)
    message.DiscardUnknownFields()
    return message


ALWAYS = Masker()


@lru_cache(maxsize=256)
def _without_captured(kind: Any, raw: bytes) -> bytes:
    return ALWAYS._around(kind, raw)  # noqa: SLF001 - its own

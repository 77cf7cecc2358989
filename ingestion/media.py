"""Media in payloads: base64 content is taken out, and a reference to it is put in its place."""

import ast
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError

from heliograph.domain.media import CONTENT_TYPES, MediaContent, MediaField, TraceUse, reference
from ingestion import values, wire
from ingestion.batch.events import SCORE, TRACE, Event, event_of
from ingestion.otlp import ExportTraceServiceRequest, ScopeOfSpans
from ingestion.values import Value
from ingestion.word_search import WordSearch

# How a part of a provider's message names what it holds beside it in base64: OpenAI's and Gemini's.
_AUDIO, _INLINE = "input_audio", ("inline_data", "inlineData")
_MARKS = tuple(mark.encode() for mark in ("base64", _AUDIO, *_INLINE))
# A rare part of each.
_SIGNS = WordSearch(b"se64", b"t_au", b"ne_d", b"neDa")
_DATA_URI = re.compile(
    rb"data:([\w.+-]{1,100}\\?/[\w.+-]{1,100})(?:;[\w-]{1,40}=[\w.+-]{0,100}){0,8};base64,"
    # A backslash is part of it for those who write JSON with escaped slashes.
    rb"([A-Za-z0-9+/_\\-]++={0,2})(?![=%A-Za-z0-9+/]|\s+[A-Za-z0-9+/]{60})"
)
_ESCAPE = re.compile(rb"\\(?!/)")
_FOLDED = re.compile(rb"(?:\\[rn])+[A-Za-z0-9+/]{60}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_KINDS = ("image/", "audio/", "video/")
# Which way an attribute went is not written in all of them; the first word that is found decides.
_FIELDS = (
    ("metadata", MediaField.METADATA),
    ("output", MediaField.OUTPUT), ("completion", MediaField.OUTPUT), ("response", MediaField.OUTPUT),
    ("result", MediaField.OUTPUT), ("choice", MediaField.OUTPUT),
    ("input", MediaField.INPUT), ("prompt", MediaField.INPUT), ("message", MediaField.INPUT),
    ("arguments", MediaField.INPUT),
)  # fmt: skip


def may_hold(payload: bytes) -> bool:
    """Whether media may be in it: one quick search, all that most payloads cost."""
    return _SIGNS.is_in(payload) and any(mark in payload for mark in _MARKS)


class Extraction:
    """Takes media out of payloads, and gathers each content once and where it was referred to."""

    def __init__(self) -> None:
        self.contents: dict[str, MediaContent] = {}
        self.uses: set[TraceUse] = set()

    @property
    def nbytes(self) -> int:
        """How much content was found."""
        return sum(len(found.content) for found in self.contents.values())

    def export(self, export: ExportTraceServiceRequest) -> ExportTraceServiceRequest:
        """The export with references; a span without media stays the same object."""
        return ExportTraceServiceRequest([self._scope(scope) for scope in export.scopes], export.first)

    def events(self, events: Iterable[Event]) -> list[Event]:
        """The events with references; one without media stays the same object. Each must know its trace."""
        return [event if event.type == SCORE else self._event(event) for event in events]

    def _scope(self, scope: ScopeOfSpans) -> ScopeOfSpans:
        if not any(map(may_hold, scope.spans)):
            return scope
        spans = [self._span(span) if may_hold(span) else span for span in scope.spans]
        return ScopeOfSpans(scope.resource, scope.resource_schema_url, scope.scope, scope.scope_schema_url, spans)

    def _span(self, raw: bytes) -> bytes:
        try:
            span = wire.Span.FromString(raw)
        except DecodeError:
            return raw
        place = _Place(self, span.trace_id.hex(), span.span_id.hex())
        attributes = [place.attribute(one) for one in span.attributes]
        events = [place.event(one) for one in span.events]
        if not place.has_found:
            return raw
        span.attributes[:] = attributes
        span.events[:] = events
        return bytes(span.SerializeToString())

    def _event(self, event: Event) -> Event:
        if "\0" in event.entity_id + event.trace_id:
            # No store of ours could say where such a file is referred to.
            return event
        place = _Place(self, event.trace_id, "" if event.type == TRACE else event.entity_id)
        body = dict(event.body)
        for name in (MediaField.INPUT, MediaField.OUTPUT, MediaField.METADATA):
            if body.get(name):
                place.field = name
                body[name] = place.value(body[name])
        if not place.has_found:
            return event
        return event_of(event.id, event.type, event.stamped_at, body=body).within(event.trace_id)


class _Place:
    """One observation or trace, whose texts are searched."""

    def __init__(self, extraction: Extraction, trace_id: str, observation_id: str) -> None:
        self._extraction = extraction
        self._trace_id = trace_id
        self._observation_id = observation_id
        self.field = MediaField.METADATA
        self.has_found = False

    def attribute(self, raw: bytes) -> bytes:
        """A serialized attribute with references."""
        if not may_hold(raw):
            return raw
        pair = wire.lenient(wire.KeyValue, raw)
        key = pair.key.decode("utf-8", "replace")
        self.field = next((field for word, field in _FIELDS if word in key), MediaField.METADATA)
        observation_id = self._observation_id
        if key.startswith("langfuse.trace."):
            self._observation_id = ""
        value = self._any_value(pair.value, 0)
        self._observation_id = observation_id
        if value == pair.value:
            return raw
        pair.value = value
        return bytes(pair.SerializeToString())

    def event(self, raw: bytes) -> bytes:
        """A serialized event of a span with references."""
        if not may_hold(raw):
            return raw
        event = wire.lenient(wire.Event, raw)
        attributes = [self.attribute(one) for one in event.attributes]
        if attributes == event.attributes[:]:
            return raw
        event.attributes[:] = attributes
        return bytes(event.SerializeToString())

    def value(self, value: Value, depth: int = 0, key: str = "") -> Value:
        """JSON with references; `key` is the name under which the value stands."""
        if isinstance(value, str):
            return self._text(value)
        if depth > values.MAX_DEPTH:
            return value
        if isinstance(value, list):
            return [self.value(element, depth + 1, key) for element in value]
        if not isinstance(value, dict):
            return value
        found = _in_part(value, key)
        replaced = self._kept(found, "bytes") if found else None
        if replaced:
            return {**value, "data": replaced}
        return {name: self.value(element, depth + 1, name) for name, element in value.items()}

    def _any_value(self, raw: bytes, depth: int) -> bytes:
        if depth > values.MAX_DEPTH or not may_hold(raw):
            return raw
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
            inner.values[:] = [self._pair(pair, depth + 1) for pair in inner.values]
            value.kvlist_value = inner.SerializeToString()
        return bytes(value.SerializeToString())

    def _pair(self, raw: bytes, depth: int) -> bytes:
        pair = wire.lenient(wire.KeyValue, raw)
        pair.value = self._any_value(pair.value, depth)
        return bytes(pair.SerializeToString())

    def _text(self, text: str) -> str:
        # Python strings from JSON may hold lone surrogates.
        raw = text.encode("utf-8", "surrogatepass")
        return self._bytes(raw).decode("utf-8", "surrogatepass") if may_hold(raw) else text

    def _bytes(self, text: bytes) -> bytes:
        """A text with references: it is not parsed and written again, so all else in it stays to the byte."""
        if b";base64," in text:
            text = _DATA_URI.sub(self._data_uri, text)
        for found in _in_json(text, 0):
            text = self._replaced(text, found)
        return text

    def _data_uri(self, match: re.Match[bytes]) -> bytes:
        whole, content_type, written = match[0], match[1].replace(b"\\", b""), match[2]
        rest = b""
        if escape := _ESCAPE.search(written):
            written, rest = written[: escape.start()], written[escape.start() :]
            if _FOLDED.match(rest):
                return whole
        content = _decoded(written.replace(b"\\/", b"/"))
        kept = self._kept(_media(content_type.decode(), content), "base64_data_uri")
        return kept.encode() + rest if kept else whole

    def _replaced(self, text: bytes, found: tuple[str, MediaContent]) -> bytes:
        written, media = found
        escaped = json.dumps(written)[1:-1]
        for spelling in (escaped, escaped.replace("/", "\\/")):
            quoted = b'"' + spelling.encode()
            if quoted in text:
                return text.replace(quoted, b'"' + self._kept(media, "bytes").encode())
        return text

    def _kept(self, media: MediaContent | None, source: str) -> str:
        """The reference to a file, which is remembered with its place; '' when there is none."""
        if media is None:
            return ""
        self.has_found = True
        self._extraction.contents.setdefault(media.id, media)
        self._extraction.uses.add(TraceUse(media.id, self._trace_id, self._observation_id, self.field))
        return reference(media.content_type, media.id, source)


def _in_json(text: bytes, depth: int) -> Iterator[tuple[str, MediaContent]]:
    """The parts of providers' messages in a JSON text: what is written there, and what it means."""
    if text.lstrip()[:1] not in {b"{", b"["} or not may_hold(text):
        return
    try:
        parsed = values.from_json(text)
    except ValueError:
        return
    yield from _in_value(parsed, depth, "")


def _in_value(value: Value, depth: int, key: str) -> Iterator[tuple[str, MediaContent]]:
    if depth > values.MAX_DEPTH:
        return
    if isinstance(value, str):
        yield from _in_json(value.encode("utf-8", "surrogatepass"), depth + 1)
    elif isinstance(value, list):
        for element in value:
            yield from _in_value(element, depth + 1, key)
    elif isinstance(value, dict):
        media = _in_part(value, key)
        if media is not None:
            yield str(value["data"]), media
            return
        for name, element in value.items():
            yield from _in_value(element, depth + 1, name)


def _in_part(part: dict[str, Value], key: str) -> MediaContent | None:
    """The file in `data` of a provider's message part that stands under `key`; None when it is no such part."""
    data = part.get("data")
    if not isinstance(data, str):
        return None
    content_type: Any = None
    if key == _AUDIO:
        content_type = f"audio/{part.get('format')}"
    elif key in _INLINE or "base64" in (part.get("type"), part.get("source_type")):
        content_type = part.get("media_type") or part.get("mime_type") or part.get("mimeType")
    return _media(content_type, _content(data)) if isinstance(content_type, str) else None


def _content(data: str) -> bytes | None:
    if data.startswith(("b'", 'b"')):
        # What Python's text of a dictionary makes of bytes.
        try:
            literal = ast.literal_eval(data)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
        return literal if isinstance(literal, bytes) else None
    return _decoded(data.encode()) if data.isascii() else None


def _decoded(written: bytes) -> bytes | None:
    """What base64 says, in the usual alphabet or that of URLs, with its padding or without; None if it is none."""
    body = written.rstrip(b"=")
    if b"-" in body or b"_" in body:
        body = body.translate(_URL_SAFE)
    try:
        return binascii.a2b_base64(body + b"=" * (-len(body) % 4), strict_mode=True)
    except binascii.Error:
        return None


def _media(content_type: str, content: bytes | None) -> MediaContent | None:
    content_type = content_type.strip().lower()
    is_known = content_type in CONTENT_TYPES or (content_type.startswith(_KINDS) and _TYPE.fullmatch(content_type))
    return MediaContent(content_type, content) if content and is_known else None


_TYPE = re.compile(r"[a-z]+/[\w.+-]{1,100}", re.ASCII)

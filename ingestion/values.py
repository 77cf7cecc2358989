"""Attribute values: from the wire to plain Python, and from there to text."""

import base64
import json
import math
import re
from collections.abc import Iterable, Sequence

import orjson
from google.protobuf.message import DecodeError

from ingestion import wire


class NestedTooDeeply(ValueError):
    """JSON whose lists and objects are nested too deeply to be read."""

    def __str__(self) -> str:
        return "nested too deeply"


Value = str | bool | int | float | list["Value"] | dict[str, "Value"] | None

# Deeper than any real payload, and well within Python's own recursion limit.
MAX_DEPTH = 64
TOO_DEEP = "[nested too deeply]"
# The encoder refuses 255 levels. A record keeps more, so that mapping it again refuses and cuts the same.
_KEPT_DEPTH = 200
RECORD_DEPTH = 300
# Looking for what lies deep takes a second for so much.
_MAX_FLATTENED_BYTES = 4 << 20
_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)

_NOT_A_STRING = b"\xff"
_KNOWN_SIZES = 1 << 16
# Lengths below this are one byte long on the wire.
_ONE_BYTE = 0x80


class _StringHeaders(dict[int, bytes]):
    """What precedes the text when so many bytes follow the tag of an attribute's value and hold one string only."""

    def __missing__(self, size: int) -> bytes:
        header = _string_header(size)
        if size < _KNOWN_SIZES:
            self[size] = header
        return header


def _string_header(size: int) -> bytes:
    for length_bytes in range(1, 6):
        inner = size - length_bytes
        for text_length_bytes in range(1, 6):
            text = inner - 1 - text_length_bytes
            if text < 0:
                break
            outer_length, text_length = wire.varint(inner), wire.varint(text)
            if (len(outer_length), len(text_length)) == (length_bytes, text_length_bytes):
                return outer_length + b"\x0a" + text_length
    return _NOT_A_STRING


_HEADERS = _StringHeaders()


def column(raws: Sequence[bytes], start: int) -> list[Value]:
    """The values of attributes that share a key, each from its KeyValue message.

    Args:
        raws: serialized KeyValue messages in canonical order, key before value.
        start: where the value's length begins, which is the same for all of them.
    """
    odd = _Odd(start)
    first = raws[0]
    if first == raws[-1] and raws.count(first) == len(raws):
        # Much of what a batch's spans carry is the same for all of them.
        return [odd[first]] * len(raws)
    try:
        return [
            raw[start + len(header) :].decode()
            if raw.startswith(header := _HEADERS[len(raw) - start], start)
            else odd[raw]
            for raw in raws
        ]
    except UnicodeDecodeError:
        return [odd[raw] for raw in raws]


class _Odd(dict[bytes, Value]):
    """Values that are not valid text alone, read the long way, and once if they are repeated."""

    def __init__(self, start: int) -> None:
        super().__init__()
        self._start = start

    def __missing__(self, raw: bytes) -> Value:
        value = self[raw] = _short_texts(raw, self._start) or _key_value(raw)[1]
        return value


def _short_texts(raw: bytes, start: int) -> list[Value] | None:
    """A list of short texts, such as tags, read without a parser; None when it is anything else."""
    end = len(raw)
    size = end - start
    if not 3 <= size < _ONE_BYTE or raw[start : start + 3] != bytes((size - 1, 0x2A, size - 3)):
        return None
    found: list[Value] = []
    place = start + 3
    try:
        while place < end:
            inner = raw[place + 1]
            after = place + 2 + inner
            if raw[place] != 0x0A or raw[place + 2] != 0x0A or raw[place + 3] != inner - 2 or after > end:
                return None
            found.append(raw[place + 4 : after].decode())
            place = after
    except (IndexError, UnicodeDecodeError):
        return None
    return found


def attributes(raws: Iterable[bytes]) -> dict[str, Value]:
    """Attributes by key; of a repeated key the last value counts."""
    return dict(map(_key_value, raws))


def key_and_value(raw: bytes) -> tuple[bytes, bytes]:
    """The key and the serialized AnyValue of a KeyValue; an unreadable one is kept as base64 text without a key."""
    try:
        message = wire.KeyValue.FromString(raw)
    except DecodeError:
        return b"", wire.field(1, base64.b64encode(raw))
    return message.key, message.value


def _key_value(raw: bytes, depth: int = 0) -> tuple[str, Value]:
    key, value = key_and_value(raw)
    return key.decode("utf-8", "replace"), any_value(value, depth)


def any_value(raw: bytes, depth: int = 0) -> Value:
    """The Python value of a serialized AnyValue; what cannot be read is kept as base64 text."""
    if depth > MAX_DEPTH:
        return base64.b64encode(raw).decode()
    try:
        message = wire.AnyValue.FromString(raw)
        kind = message.WhichOneof("value")
        if kind is None:
            return None
        return _of_kind(kind, getattr(message, kind), depth + 1)
    except DecodeError:
        return base64.b64encode(raw).decode()


def _of_kind(kind: str, value: bytes | float, depth: int) -> Value:
    if not isinstance(value, bytes):
        return number(value)
    if kind == "string_value":
        return value.decode("utf-8", "replace")
    if kind == "array_value":
        return [any_value(element, depth) for element in wire.lenient(wire.Values, value).values]
    if kind == "kvlist_value":
        return dict(_key_value(pair, depth) for pair in wire.lenient(wire.Values, value).values)
    return base64.b64encode(value).decode()


def number(value: float) -> Value:
    """The number itself, or text where JSON has no such number."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def text(value: Value) -> str:
    """Text as it is, absence as the empty string, everything else as JSON."""
    if type(value) is str:
        return value
    return "" if value is None else to_json(value)


def readable_text(value: Value) -> str:
    """A member of a JSON object as text which, parsed if it is JSON and kept if not, gives the member again."""
    if isinstance(value, str) and parsed_or_none(value) is None and value != "null":
        return value
    return "null" if value is None else to_json(value)


def texts(values: Iterable[Value]) -> list[str]:
    """Each value as text."""
    return [value if type(value) is str else text(value) for value in values]


def to_json(value: object, kept_depth: int = _KEPT_DEPTH) -> str:
    """Compact JSON; never fails on what came from the wire: what the encoder cannot take is cut below a depth."""
    try:
        return orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, RecursionError):
        shallow = _shallow(value, kept_depth)
        return clean(json.dumps(shallow, separators=(",", ":"), ensure_ascii=False, default=str))


def _shallow(value: object, depth: int) -> object:
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        return TOO_DEEP
    if isinstance(value, list):
        return [_shallow(element, depth - 1) for element in value]
    return {key: _shallow(element, depth - 1) for key, element in value.items()}


def from_json(content: str | bytes) -> Value:
    """The parsed JSON text.

    Raises:
        NestedTooDeeply: it cannot be read, though it may be JSON.
        ValueError: it is not JSON.
    """
    try:
        parsed: Value = orjson.loads(content)
    except orjson.JSONDecodeError:
        # Python's reader also takes NaN, lone surrogates and integers of any size.
        try:
            parsed = json.loads(content)
        except RecursionError as error:
            raise NestedTooDeeply from error
    return parsed


def from_body(content: bytes) -> Value:
    """The parsed JSON of a request, of which what is nested too deeply is kept as text: it costs no neighbour.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return from_json(content)
    except NestedTooDeeply:
        if len(content) > _MAX_FLATTENED_BYTES:
            raise
    return from_json(_flattened(content))


def _flattened(content: bytes) -> bytes:
    """The JSON with the text of what lies too deep in place of it."""
    depth = first = last = 0
    parts: list[bytes] = []
    for found in _STRUCTURE.finditer(content):
        if found[0] in b"[{":
            depth += 1
            if depth == _KEPT_DEPTH + 1:
                first = found.start()
        elif found[0] in b"]}":
            if depth == _KEPT_DEPTH + 1:
                text = content[first : found.end()].decode("utf-8", "replace")
                parts += content[last:first], orjson.dumps(text)
                last = found.end()
            depth -= 1
    return b"".join((*parts, content[last:]))


def parsed_or_none(value: Value) -> Value:
    """The JSON that a text holds, or None; what is not text is taken as it is."""
    if not isinstance(value, str):
        return value
    try:
        return from_json(value)
    except ValueError:
        return None


def clean(content: str) -> str:
    """The text with lone surrogates, which UTF-8 cannot carry, replaced."""
    return content.encode("utf-8", "replace").decode()

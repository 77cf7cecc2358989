"""The shape of a span: its attribute keys in order. Everything that depends on keys alone is found once per shape."""

from collections.abc import Sequence

from ingestion import values, wire
from ingestion.masking import captured

Keys = tuple[str, ...]

# Instrumentations have few shapes; keys made up per span must not grow the cache without end.
_MAX_SHAPES = 8192

_KEY_TAG = 0x0A
_VALUE_TAG = b"\x12"


class Shape:
    """The attribute keys of a span, and what was asked about them before."""

    def __init__(self, heads: tuple[bytes, ...]) -> None:
        self.heads = heads
        self.starts = [len(head) for head in heads]
        self.keys: Keys = tuple(
            head[len(head) - 1 - _key_length(head) : -1].decode("utf-8", "replace") for head in heads
        )
        self.holds_captured = any(map(captured.kind_of, self.keys))
        # The last of a repeated key counts.
        self.index = {key: place for place, key in enumerate(self.keys)}
        self._present: dict[Keys, Keys] = {}
        self._prefixed: dict[str, tuple[tuple[str, str], ...]] = {}

    def present(self, keys: Keys) -> Keys:
        """Those of the keys that the shape has, in their order."""
        found = self._present.get(keys)
        if found is None:
            found = self._present[keys] = tuple(key for key in keys if key in self.index)
        return found

    def prefixed(self, prefix: str) -> tuple[tuple[str, str], ...]:
        """The keys under a prefix, each with what follows it."""
        found = self._prefixed.get(prefix)
        if found is None:
            keys = (key for key in self.index if key.startswith(prefix) and key != prefix)
            found = self._prefixed[prefix] = tuple((key, key[len(prefix) :]) for key in keys)
        return found

    def fits(self, attributes: list[bytes]) -> bool:
        """Whether these are as many attributes, with the same keys in canonical form."""
        return len(attributes) == len(self.heads) and all(map(_starts_with, attributes, self.heads))


_starts_with = bytes.startswith
_shapes: dict[tuple[bytes, ...], Shape] = {}


def shape_of(attributes: list[bytes]) -> tuple[Shape, list[bytes]]:
    """The shape of serialized KeyValue messages, and these messages in canonical form (key, then value)."""
    try:
        heads = tuple([raw[: raw[1] + 3] for raw in attributes])
    except IndexError:
        return _odd_shape(attributes)
    shape = _shapes.get(heads)
    if shape is not None:
        return shape, attributes
    if not all(map(_is_canonical, heads)):
        return _odd_shape(attributes)
    return _remember(heads), attributes


def _odd_shape(attributes: Sequence[bytes]) -> tuple[Shape, list[bytes]]:
    pairs = [values.key_and_value(raw) for raw in attributes]
    heads = tuple(wire.field(1, key) + _VALUE_TAG for key, _ in pairs)
    canonical = [head + wire.varint(len(value)) + value for head, (_, value) in zip(heads, pairs, strict=True)]
    return _shapes.get(heads) or _remember(heads), canonical


def _is_canonical(head: bytes) -> bool:
    length = head[1]
    return head[0] == _KEY_TAG and length < 0x80 and len(head) == length + 3 and head[-1:] == _VALUE_TAG


def _key_length(head: bytes) -> int:
    """The length of the key in `tag, length, key, value tag`."""
    length = shift = 0
    for byte in head[1:]:
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    return length


def _remember(heads: tuple[bytes, ...]) -> Shape:
    if len(_shapes) >= _MAX_SHAPES:
        _shapes.clear()
    shape = _shapes[heads] = Shape(heads)
    return shape

"""Spans of one scope that share a shape: the unit in which attributes are mapped, column by column."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from ingestion import values, wire
from ingestion.attributes.shape import Keys, Shape
from ingestion.values import Value

Accepts = Callable[[Value], bool]
T = TypeVar("T")


_KNOWN_SIZES = 1 << 16
# The tag of field 2: a resource's scopes, a scope's spans.
_SECOND_FIELD = b"\x12"


class _Sizes(dict[int, bytes]):
    """Sizes as they are written; of every span two are."""

    def __missing__(self, size: int) -> bytes:
        written = wire.varint(size)
        if size < _KNOWN_SIZES:
            self[size] = written
        return written


_SIZES = _Sizes()


class Frame:
    """What all spans of an instrumentation scope share: their resource, their scope, and the bytes of both."""

    def __init__(self, resource: bytes, scope: bytes, schema_urls: tuple[bytes, bytes] = (b"", b"")) -> None:
        self._resource_part = _present(1, resource) + _present(3, schema_urls[0]) + _SECOND_FIELD
        self._scope_part = _present(1, scope) + _present(3, schema_urls[1]) + _SECOND_FIELD
        self.resource = values.attributes(wire.lenient(wire.Resource, resource).attributes)
        self._read_scope(wire.lenient(wire.Scope, scope))

    def _read_scope(self, scope: Any) -> None:  # a generated message
        self.scope_name: str = scope.name.decode("utf-8", "replace")
        self.scope_version: str = scope.version.decode("utf-8", "replace")
        scope_attributes = values.attributes(scope.attributes)
        self.resource_json = values.to_json(self.resource)
        self.scope_json = values.to_json(
            {"name": self.scope_name, "version": self.scope_version, "attributes": scope_attributes}
        )

    def enclose(self, span: bytes) -> bytes:
        """One serialized ResourceSpans that holds exactly this span, with its resource and scope."""
        size = _SIZES[len(span)]
        scope_size = _SIZES[len(self._scope_part) + len(size) + len(span)]
        return b"".join((self._resource_part, scope_size, self._scope_part, size, span))

    def resource_text(self, *keys: str) -> str:
        """The first of the resource's attributes that says something."""
        return next((values.text(self.resource[key]) for key in keys if self.resource.get(key)), "")


@lru_cache(maxsize=256)
def frame_of(resource: bytes, scope: bytes, schema_urls: tuple[bytes, bytes] = (b"", b"")) -> Frame:
    """The frame of a serialized resource and scope; clients send the same ones with every request."""
    return Frame(resource, scope, schema_urls)


def _present(number: int, content: bytes) -> bytes:
    return wire.field(number, content) if content else b""


class SpanGroup:
    """Spans with the same frame and shape. A column holds one value for each of them, in the order of `rows`."""

    def __init__(self, frame: Frame, shape: Shape) -> None:
        self.frame = frame
        self.shape = shape
        self.rows: list[int] = []
        self.spans: list[Any] = []
        self.attributes: list[list[bytes]] = []
        self._raws: list[tuple[bytes, ...]] = []
        self._columns: dict[str, list[Value]] = {}
        self.has = shape.index.__contains__

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, key: str) -> list[Value]:
        """The values of a key that the shape has."""
        found = self._columns.get(key)
        if found is None:
            place = self.shape.index[key]
            # All spans are gathered before the first column is read.
            self._raws = self._raws or list(zip(*self.attributes, strict=True))
            found = self._columns[key] = values.column(self._raws[place], self.shape.starts[place])
        return found

    def first(self, keys: Keys, accepts: Accepts = bool) -> list[Value] | None:
        """Per span the first accepted value of the keys, or None; None for all when the shape has none of them."""
        present = self.shape.present(keys)
        if not present:
            return None
        found = self.column(present[0])
        for key in present[1:]:
            found = [value if accepts(value) else other for value, other in zip(found, self.column(key), strict=True)]
        return found

    def first_texts(self, keys: Keys) -> list[str] | None:
        """As `first`, as text."""
        found = self.first(keys)
        return None if found is None else values.texts(found)

    @staticmethod
    def each(convert: Callable[[Value], T], found: list[Value]) -> list[T]:
        """The converted values; converted once when they are all the same."""
        if found[0] is found[-1] and found.count(found[0]) == len(found):
            return [convert(found[0])] * len(found)
        return [convert(value) for value in found]

    def constant(self, value: Value) -> list[Value]:
        """A column of one value."""
        return [value] * len(self.rows)

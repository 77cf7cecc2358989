"""Reading back in portions that fit into a query's parameters, by number and by length."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")
_MAX_KEYS = 2_000
# ClickHouse takes no longer parameter than 128 kB.
_MAX_BYTES = 100_000


def chunks(keys: Iterable[_T], length: Callable[[_T], int]) -> Iterator[list[_T]]:
    """Keys in portions; `length` tells how many characters of a key go into one parameter."""
    chunk: list[_T] = []
    total = 0
    for key in keys:
        size = 4 * length(key) + 8
        if chunk and (len(chunk) == _MAX_KEYS or total + size > _MAX_BYTES):
            yield chunk
            chunk, total = [], 0
        chunk.append(key)
        total += size
    if chunk:
        yield chunk

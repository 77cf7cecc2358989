"""From observations to the rows of the tree: depth first, with a place on the timeline. Pure functions."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
import pyarrow as pa

from dashboard.components import formats
from dashboard.components.palette import TYPE_LOOKS

Columns = Mapping[str, Sequence[Any]]
_MARKED_LEVELS = {"ERROR", "WARNING"}


@dataclass(frozen=True)
class Tree:
    """The rows of one trace, in the order in which they are shown.

    Attributes:
        columns: what the rows show, by column, all of the same length: id, depth, children (how many), name, type,
            level, tokens, cost, duration, and left and width, which are shares of the trace's length.
        milliseconds: the length of the trace.
    """

    columns: Columns
    milliseconds: float

    @cached_property
    def ids(self) -> Sequence[str]:
        """The observations, as they are shown."""
        return self.columns["id"]

    @cached_property
    def text(self) -> str:
        """What the browser is told, as JSON: by column, since ten thousands of rows go with it."""
        return orjson.dumps({"columns": self.columns, "looks": TYPE_LOOKS}).decode()


EMPTY = Tree({"id": []}, 0.0)


def tree_of(observations: pa.Table) -> Tree:
    """The tree of the observations of a trace.

    An observation whose parent never arrived, or that is its own ancestor, stands at the top level: none is lost.
    """
    if observations.num_rows == 0:
        return EMPTY
    found = observations.sort_by([("start_time", "ascending")])
    ids, parents = found["id"].to_pylist(), found["parent_observation_id"].to_pylist()
    starts = _microseconds(found["start_time"])
    ends = _microseconds(found["end_time"])
    length = max(start if end is None else end for start, end in zip(starts, ends, strict=True)) - starts[0]
    children = _children(ids, parents)
    walked = list(_walk(children, len(ids)))
    order = [place for place, _ in walked]
    lengths = [None if ends[place] is None else ends[place] - starts[place] for place in order]
    types = _taken(found["type"], order)
    columns = {
        "id": [ids[place] for place in order],
        "depth": [depth for _, depth in walked],
        "children": [len(children[place]) for place in order],
        "name": [name or kind.lower() for name, kind in zip(_taken(found["name"], order), types, strict=True)],
        "type": types,
        "level": [level if level in _MARKED_LEVELS else "" for level in _taken(found["level"], order)],
        "tokens": [formats.compact(count) if count else "" for count in _taken(found["total_tokens"], order)],
        "cost": [formats.cost(cost) if cost else "" for cost in _taken(found["total_cost"], order)],
        "duration": ["" if taken is None else formats.duration(taken / 1000) for taken in lengths],
        "left": [_share(starts[place] - starts[0], length) for place in order],
        "width": [_share(taken or 0, length) for taken in lengths],
    }
    return Tree(columns, length / 1000)


def _children(ids: Sequence[str], parents: Sequence[str]) -> Mapping[int, Sequence[int]]:
    """The places of the children by the place of their parent; those of the top level by -1."""
    places = {each: place for place, each in enumerate(ids)}
    children: dict[int, list[int]] = defaultdict(list)
    for place, parent in enumerate(parents):
        found = places.get(parent, -1)
        children[found if found != place else -1].append(place)
    return children


def _walk(children: Mapping[int, Sequence[int]], count: int) -> Iterator[tuple[int, int]]:
    """Every place once, with its depth; what nothing at the top level leads to comes last."""
    seen = [False] * count
    for top in [*children[-1], *range(count)]:
        stack = [(top, 0)]
        while stack:
            place, depth = stack.pop()
            if seen[place]:
                continue
            seen[place] = True
            yield place, depth
            stack.extend((child, depth + 1) for child in reversed(children[place]))


def _taken(column: pa.ChunkedArray, order: Sequence[int]) -> list[Any]:
    values = column.to_pylist()
    return [values[place] for place in order]


def _microseconds(column: pa.ChunkedArray) -> list[Any]:
    return list(column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_pylist())


def _share(part: float, whole: float) -> float:
    return round(part / whole, 5) if whole else 0.0

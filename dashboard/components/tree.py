"""From observations to the rows of the tree: depth first, with a place on the timeline. Pure functions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from dashboard.components import formats
from dashboard.components.palette import TYPE_COLOURS, TYPE_ICONS

Record = Mapping[str, Any]


def tree_rows(observations: pa.Table) -> tuple[list[dict[str, Any]], float]:
    """The rows in the order in which they are shown, and the length of the whole trace in milliseconds.

    An observation whose parent never arrived, or that is its own ancestor, stands at the top level: none is lost.
    """
    records = sorted(observations.to_pylist(maps_as_pydicts="lossy"), key=lambda record: record["start_time"])
    if not records:
        return [], 0.0
    start = records[0]["start_time"]
    length = max(_milliseconds(start, record["end_time"] or record["start_time"]) for record in records)
    children = _children(records)
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    for top in [*children[""], *records]:
        stack = [(top, 0)]
        while stack:
            record, depth = stack.pop()
            if record["id"] in seen:
                continue
            seen.add(record["id"])
            below = children[record["id"]]
            rows.append(_row(record, depth, len(below), start=start, length=length))
            stack.extend((child, depth + 1) for child in reversed(below))
    return rows, length


def _children(records: Sequence[Record]) -> dict[str, list[Record]]:
    known = {record["id"] for record in records}
    children: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        parent = record["parent_observation_id"]
        children[parent if parent in known and parent != record["id"] else ""].append(record)
    return children


def _row(record: Record, depth: int, children: int, *, start: datetime, length: float) -> dict[str, Any]:
    took = _milliseconds(record["start_time"], record["end_time"]) if record["end_time"] else None
    return {
        "id": record["id"],
        "depth": depth,
        "children": children,
        "name": record["name"] or record["type"].lower(),
        "type": record["type"],
        "icon": TYPE_ICONS.get(record["type"], TYPE_ICONS["SPAN"]),
        "colour": TYPE_COLOURS.get(record["type"], TYPE_COLOURS["SPAN"]),
        "level": record["level"],
        "tokens": formats.compact(record["total_tokens"]) if record["total_tokens"] else "",
        "cost": formats.cost(record["total_cost"]) if record["total_cost"] else "",
        "duration": formats.duration(took) if took is not None else "",
        "left": _milliseconds(start, record["start_time"]) / length if length else 0.0,
        "width": (took or 0.0) / length if length else 0.0,
    }


def _milliseconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() * 1000

"""Per-field stamps: partial events merge to the same values in any order, however often they come.

A field's value is that of the part with the greatest stamp, which is (event timestamp, event id).
"""

import json
from collections.abc import Mapping
from typing import NamedTuple


class TracePart(NamedTuple):
    """One field's value with the stamp that orders it among its rivals; the time in microseconds."""

    value: str
    stamped_at: int
    stamp_id: str

    @property
    def stamp(self) -> tuple[int, str, str]:
        """What decides; the value comes last, so that even equal stamps order the same way everywhere."""
        return (self.stamped_at, self.stamp_id, self.value)


Parts = dict[str, TracePart]


def merge_part(parts: Parts, field: str, part: TracePart) -> None:
    """Let a part win its field if its stamp is greater."""
    known = parts.get(field)
    if known is None or known.stamp < part.stamp:
        parts[field] = part


def dump_stamps(parts: Parts) -> str:
    """The stamps as compact JSON for `merge_state`; empty without parts. The values have columns of their own."""
    if not parts:
        return ""
    stamps = {field: [part.stamped_at, part.stamp_id] for field, part in sorted(parts.items())}
    return json.dumps(stamps, separators=(",", ":"))


def load_parts(merge_state: str, values: Mapping[str, str]) -> Parts:
    """The inverse of `dump_stamps`, with the values of the row's own columns."""
    if not merge_state:
        return {}
    return {
        field: TracePart(values.get(field, ""), stamped_at, stamp_id)
        for field, (stamped_at, stamp_id) in json.loads(merge_state).items()
    }

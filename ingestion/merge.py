"""Merging what several events say about one thing: per field, the value with the greatest stamp."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Stamped(NamedTuple):
    """A value with the stamp that orders it among its rivals.

    Stamps compare by time, then by the event's id; the value decides between equal stamps, so that the outcome
    never depends on the order of arrival.
    """

    stamped_at: int
    stamp_id: str
    value: str


class Part(NamedTuple):
    """A field set by an event: `stamped_at` in microseconds since 1970."""

    field: str
    value: str
    stamped_at: int
    stamp_id: str


MergeState = Mapping[str, Stamped]
# What one event sets: text by field.
Fields = Mapping[str, str]

# Set by every event: its stamp tells when the thing was first heard of.
SEEN = "seen"
# Fixed by the first event: of these the smallest stamp wins.
IMMUTABLE = frozenset({"timestamp", "start_time", "environment", SEEN})


def merge_parts(state: MergeState, parts: Iterable[Part]) -> MergeState:
    """The state after the parts, in whatever order and however often they come."""
    merged = dict(state)
    for part in parts:
        rival = merged.get(part.field)
        stamped = Stamped(part.stamped_at, part.stamp_id, part.value)
        if rival is None or (stamped < rival if part.field in IMMUTABLE else stamped > rival):
            merged[part.field] = stamped
    return merged


def remerge_parts(state: MergeState, parts: Sequence[Part]) -> MergeState:
    """The state when these parts are all that their events set, whatever these events had set before."""
    stamps = {(part.stamped_at, part.stamp_id) for part in parts}
    of_others = {name: one for name, one in state.items() if (one.stamped_at, one.stamp_id) not in stamps}
    return merge_parts(of_others, parts)


def to_json(state: MergeState) -> str:
    """Compact JSON for the `merge_state` column; '' for nothing."""
    if not state:
        return ""
    return json.dumps({name: state[name] for name in sorted(state)}, separators=(",", ":"), ensure_ascii=False)


def from_json(text: str) -> MergeState:
    """The inverse of `to_json`."""
    return {name: Stamped(*stamped) for name, stamped in json.loads(text or "{}").items()}

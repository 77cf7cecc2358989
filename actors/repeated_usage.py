"""Observations that report once more what the model calls below them used: their trace counts it once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from actors.contribution import ObservationContribution
from ingestion.values import to_json

# The entry of a trace's metadata that explains its totals; mapping explains an observation's own by the same name.
NOT_COUNTED = "usage_not_counted"
_GENERATION = "GENERATION"
_CALLS = frozenset({_GENERATION, "EMBEDDING"})
_NAMED = 20


class _Usage(NamedTuple):
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    total_cost: int = 0
    calls: int = 0

    def and_(self, other: "_Usage") -> "_Usage":
        return _Usage(*map(int.__add__, self, other))


def repeating(known: Sequence[ObservationContribution]) -> Mapping[str, bool]:
    """The ids of what repeats the usage below it, and whether its cost is a repetition too; all of one trace.

    That is whatever is not a generation, stands above a model call, and has exactly the tokens that are counted below
    it. Its cost is left out where something below has one. Only the set of observations matters, not their order; what
    lies on or above a circle of parents is counted.
    """
    if not any(one.total_tokens and one.type != _GENERATION for one in known):
        return {}
    by_id = {one.id: one for one in known}
    waiting = Counter(one.parent_observation_id for one in known if one.parent_observation_id in by_id)
    below: dict[str, _Usage] = {}
    repeated: dict[str, bool] = {}
    ready = [one for one in known if one.id not in waiting]
    while ready:
        one = ready.pop()
        counted = below.pop(one.id, _Usage())
        if _repeats(one, counted):
            repeated[one.id] = counted.total_cost > 0
            counted = counted._replace(total_cost=counted.total_cost or one.total_cost)
        else:
            counted = counted.and_(_own(one))
        parent = by_id.get(one.parent_observation_id)
        if parent is None:
            continue
        below[parent.id] = below.get(parent.id, _Usage()).and_(counted)
        waiting[parent.id] -= 1
        if not waiting[parent.id]:
            ready.append(parent)
    return repeated


def explained(repeated: Mapping[str, bool], known: Sequence[ObservationContribution]) -> dict[str, str]:
    """The entry of the trace's metadata that names what its totals leave out, in the order of `known`; bounded."""
    if not repeated:
        return {}
    ids = [one.id for one in known if one.id in repeated]
    said = {
        "reason": "these observations report again what is counted below them",
        "count": len(ids),
        "observations": ids[:_NAMED],
    }
    return {NOT_COUNTED: to_json(said)}


def _repeats(one: ObservationContribution, counted: _Usage) -> bool:
    if one.type == _GENERATION or not one.total_tokens or not counted.calls:
        return False
    return (one.input_tokens, one.output_tokens, one.total_tokens) == counted[:3]


def _own(one: ObservationContribution) -> _Usage:
    is_call = one.type in _CALLS and one.total_tokens > 0
    return _Usage(one.input_tokens, one.output_tokens, one.total_tokens, one.total_cost, int(is_call))

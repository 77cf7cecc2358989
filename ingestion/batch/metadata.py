"""Metadata as events set it: taken apart into leaves, so that later events merge into it, and put together again."""

import json
from collections.abc import Iterator, Mapping

from ingestion import lengths, values
from ingestion.merge import Fields, MergeState
from ingestion.values import Value

METADATA = "metadata:"
# Metadata is merged key by key down to this depth; what lies deeper is replaced as a whole.
_MERGED_DEPTH = 4
_MAX_LEAVES = 1000


def metadata_fields(body: Mapping[str, Value]) -> Fields:
    """The leaves of a body's metadata as fields, each with its value as JSON; what is empty overwrites nothing."""
    found = body.get("metadata")
    if found is None:
        return {}
    entries = found if isinstance(found, dict) else {"metadata": found}
    leaves = list(_leaves(entries, ()))
    if len(leaves) > _MAX_LEAVES:
        leaves = [((key,), entry) for key, entry in entries.items()]
    return {metadata_field(path): values.to_json(leaf) for path, leaf in leaves}


def metadata_field(path: tuple[str, ...]) -> str:
    """The field that holds the leaf at a path of metadata."""
    return METADATA + json.dumps(
        [lengths.cut(values.clean(key), lengths.KEY) for key in path], separators=(",", ":"), ensure_ascii=False
    )


def metadata_texts(state: MergeState) -> dict[str, str]:
    """The metadata put together: each key's value as text, from which reading gives the same value again."""
    return {key: values.clean(values.readable_text(entry)) for key, entry in sorted(_put_together(state).items())}


def _leaves(entries: Mapping[str, Value], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Value]]:
    for key, entry in entries.items():
        place = (*path, key)
        if isinstance(entry, dict) and len(place) < _MERGED_DEPTH:
            yield from _leaves(entry, place)
        elif entry not in ({}, []):
            yield place, entry


def _put_together(state: MergeState) -> dict[str, Value]:
    """A later leaf replaces what an earlier one put in its way."""
    leaves = sorted((part, name) for name, part in state.items() if name.startswith(METADATA))
    root: dict[str, Value] = {}
    for part, name in leaves:
        *parents, last = json.loads(name.removeprefix(METADATA))
        place = root
        for key in parents:
            inner = place.get(key)
            if not isinstance(inner, dict):
                inner = place[key] = {}
            place = inner
        place[last] = values.from_json(part.value)
    return root

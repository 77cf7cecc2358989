"""The metadata of an observation, and of the trace as the observation carries it."""

from collections.abc import Iterable

from ingestion import values
from ingestion.attributes import experiment
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.io import FLATTENED_PREFIXES, IO_KEYS
from ingestion.attributes.shape import Keys
from ingestion.rows import Columns, TextMap
from ingestion.values import Value

# Contract 4.5: a JSON object first, then single keys under the prefixes; what comes later wins.
OBSERVATION_KEYS: Keys = ("langfuse.observation.metadata", "langfuse.metadata")
OBSERVATION_PREFIX = "langfuse.observation.metadata."
TRACE_KEYS: Keys = ("langfuse.trace.metadata", "langfuse.metadata")
TRACE_PREFIX = "langfuse.trace.metadata."
SHARED_PREFIXES: tuple[str, ...] = ("langfuse.metadata.", "ai.telemetry.metadata.")
# They have columns of their own.
NOT_METADATA = frozenset(f"ai.telemetry.metadata.{name}" for name in ("userId", "sessionId", "tags", "langfusePrompt"))
# Span attributes that are not repeated under `attributes`.
LEFT_OUT_PREFIXES: tuple[str, ...] = (
    *FLATTENED_PREFIXES, "langfuse.trace.metadata", "langfuse.observation.metadata", "ai.telemetry.metadata",
    experiment.PREFIX,
)  # fmt: skip
LEFT_OUT = IO_KEYS | {"lk.user_input"}
# The SDK's own attributes all have columns.
SELF_CONTAINED_SCOPE = "langfuse-sdk"


def fill(group: SpanGroup, ours: list[TextMap] | None, columns: Columns) -> None:
    """Sets `metadata` and `trace_metadata`: text as it came, everything else as JSON.

    Args:
        group: the spans.
        ours: what the mapping itself has to say about each span.
        columns: the columns to set.
    """
    of_trace = _user_metadata(group, TRACE_KEYS, TRACE_PREFIX)
    if of_trace is not None:
        columns.put("trace_metadata", group.rows, of_trace)
    of_observation = _user_metadata(group, OBSERVATION_KEYS, OBSERVATION_PREFIX)
    base = {"resourceAttributes": group.frame.resource_json, "scope": group.frame.scope_json}
    attributes = _attributes(group)
    if attributes is None:
        merged: list[TextMap] = [base] * len(group)
    else:
        merged = [{"attributes": text, **base} for text in attributes]
    # Users' keys win, also over ours.
    layers = [found for found in (ours, experiment.entries(group), of_observation, of_trace) if found is not None]
    columns.put("metadata", group.rows, _laid_over(merged, layers))


def _laid_over(bottom: list[TextMap], layers: list[list[TextMap]]) -> list[TextMap]:
    if len(layers) == 2:
        # What Langfuse's SDK sends: its observation's and its trace's.
        return [{**system, **own, **of} for system, own, of in zip(bottom, *layers, strict=True)]
    for layer in layers:
        bottom = [{**below, **above} for below, above in zip(bottom, layer, strict=True)]
    return bottom


def _attributes(group: SpanGroup) -> list[str] | None:
    if group.frame.scope_name.startswith(SELF_CONTAINED_SCOPE):
        return None
    kept = [key for key in group.shape.index if key not in LEFT_OUT and not key.startswith(LEFT_OUT_PREFIXES)]
    if not kept:
        return None
    rows = zip(*[values.texts(group.column(key)) for key in kept], strict=True)
    return [values.to_json(dict(zip(kept, row, strict=True))) for row in rows]


def _user_metadata(group: SpanGroup, keys: Keys, prefix: str) -> list[TextMap] | None:
    named = [
        (key, name)
        for under in (prefix, *SHARED_PREFIXES)
        for key, name in group.shape.prefixed(under)
        if key not in NOT_METADATA
    ]
    objects = group.first(keys)
    if not named:
        return None if objects is None else list(map(_entries, objects))
    names = [name for _, name in named]
    rows: Iterable[tuple[str, ...]] = zip(*[values.texts(group.column(key)) for key, _ in named], strict=True)
    single: list[TextMap] = [dict(zip(names, row, strict=True)) for row in rows]
    if objects is None:
        return single
    return [{**_entries(whole), **own} for whole, own in zip(objects, single, strict=True)]


def _entries(value: Value) -> TextMap:
    if value is None or value == "":
        return {}
    parsed = values.parsed_or_none(value)
    if isinstance(parsed, dict):
        return {key: values.readable_text(item) for key, item in parsed.items()}
    # What is not an object is kept whole, under one key.
    return {"metadata": values.text(value)}

"""The experiment an observation belongs to."""

from ingestion import values
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.rows import TextMap
from ingestion.values import Value

# Contract 4.2, experiment fields.
PREFIX = "langfuse.experiment."
# JSON objects, of which each leaf is an entry of its own.
METADATA_KEYS: Keys = ("langfuse.experiment.metadata", "langfuse.experiment.item.metadata")


def entries(group: SpanGroup) -> list[TextMap] | None:
    """The experiment's fields as metadata, under the attributes' own names; None when no span has any."""
    named = group.shape.prefixed(PREFIX)
    if not named:
        return None
    columns = [(key, group.column(key)) for key, _ in named]
    return [_entries({key: column[place] for key, column in columns}) for place in range(len(group))]


def _entries(attributes: dict[str, Value]) -> dict[str, str]:
    entries: dict[str, str] = {}
    for key, value in attributes.items():
        entries |= _leaves(key, _parsed(value)) if key in METADATA_KEYS else {key: values.text(value)}
    return entries


def _leaves(path: str, value: Value, depth: int = 0) -> dict[str, str]:
    if not isinstance(value, dict) or not value or depth >= values.MAX_DEPTH:
        return {path: values.text(value)}
    leaves: dict[str, str] = {}
    for name, inner in value.items():
        leaves |= _leaves(f"{path}.{name}", inner, depth + 1)
    return leaves


def _parsed(value: Value) -> Value:
    parsed = values.parsed_or_none(value)
    return value if parsed is None else parsed

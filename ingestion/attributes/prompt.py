"""The prompt a generation used."""

from ingestion import values
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.rows import Columns
from ingestion.values import Value

# Contract 4.2, prompt name and version: only of generations.
NAME_KEYS: Keys = ("langfuse.observation.prompt.name", "langfuse.prompt.name")
VERSION_KEYS: Keys = ("langfuse.observation.prompt.version", "langfuse.prompt.version")
VERCEL_KEYS: Keys = ("ai.telemetry.metadata.langfusePrompt",)

_MAX_VERSION = 2**32 - 1


def fill(group: SpanGroup, types: list[str], columns: Columns) -> None:
    """Sets `prompt_name` and `prompt_version`."""
    if not group.shape.present(NAME_KEYS + VERCEL_KEYS):
        return
    names = group.first(NAME_KEYS) or group.constant(None)
    versions = group.first(VERSION_KEYS) or group.constant(None)
    vercel = group.first(VERCEL_KEYS) or group.constant(None)
    prompts = [
        _prompt(name, version, other) if type_ == "GENERATION" else ("", None)
        for name, version, other, type_ in zip(names, versions, vercel, types, strict=True)
    ]
    columns.put("prompt_name", group.rows, [name for name, _ in prompts])
    columns.put("prompt_version", group.rows, [version for _, version in prompts])


def _prompt(name: Value, version: Value, vercel: Value) -> tuple[str, int | None]:
    other = values.parsed_or_none(vercel)
    if not name and isinstance(other, dict):
        name, version = other.get("name"), other.get("version")
    return values.text(name), _version(version)


def _version(version: Value) -> int | None:
    try:
        number = int(version) if isinstance(version, str | int | float) else -1
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= _MAX_VERSION else None

"""The tokens and other units that an observation used."""

from collections.abc import Callable, Mapping

from ingestion import values
from ingestion.attributes import usage_keys
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.values import Value

Usage = dict[str, int]

# Contract 4.6, step 1.
DETAILS_KEY = "langfuse.observation.usage_details"
# Step 5: everything under these prefixes, but for the cost.
PREFIXES: tuple[str, ...] = ("gen_ai.usage.", "llm.token_count.")
NOT_USAGE = frozenset({"gen_ai.usage.cost"})

MAX_UNITS = 2**64 - 1


def of(group: SpanGroup) -> list[Usage] | None:
    """Each span's usage as provided, in our keys; None when no span can have any."""
    if group.has(DETAILS_KEY):
        declared = [_declared(value) for value in group.column(DETAILS_KEY)]
        if None not in declared:
            return [usage or {} for usage in declared]
        counted = _counted(group) or [{} for _ in declared]
        return [other if usage is None else usage for usage, other in zip(declared, counted, strict=True)]
    return _counted(group)


class UsageShape:
    """The keys of a usage: what depends on them alone is found once."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        names = frozenset(keys)
        self.is_openai = names <= usage_keys.OPENAI_CHAT or names <= usage_keys.OPENAI_RESPONSE
        self.has_total = "total" in names
        self.input = tuple(key for key in keys if "input" in key)
        self.output = tuple(key for key in keys if "output" in key)


class _UsageShapes(dict[tuple[str, ...], UsageShape]):
    def __missing__(self, keys: tuple[str, ...]) -> UsageShape:
        if len(self) >= _MAX_SHAPES:
            self.clear()
        shape = self[keys] = UsageShape(keys)
        return shape


_MAX_SHAPES = 4096
_shapes = _UsageShapes()


def with_total(usage: Usage) -> tuple[Usage, int, int, int]:
    """The usage with its total, and the units of input, of output and in total.

    A missing total is the sum of all keys; input and output are the sums over the keys that contain the word.
    """
    if not usage:
        return usage, 0, 0, 0
    shape = _shapes[tuple(usage)]
    units = usage.__getitem__
    if not shape.has_total:
        usage = {**usage, "total": min(sum(usage.values()), MAX_UNITS)}
    return (
        usage,
        min(sum(map(units, shape.input)), MAX_UNITS),
        min(sum(map(units, shape.output)), MAX_UNITS),
        usage["total"],
    )


def normalised(details: Mapping[str, Value]) -> Usage:
    """Usage in our keys: OpenAI's shapes renamed and their details subtracted; only whole, non-negative numbers."""
    return _from_openai(details) if _shapes[tuple(details)].is_openai else _countable(details)


def _countable(details: Mapping[str, Value]) -> Usage:
    usage = {}
    for key, value in details.items():
        if type(value) is int and 0 <= value <= MAX_UNITS:
            usage[key] = value
            continue
        units = _units(value)
        if units is not None and units >= 0:
            usage[key] = min(units, MAX_UNITS)
    return usage


def _units(value: Value) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
        return int(value if isinstance(value, int) else number) if number.is_integer() else None
    except (ValueError, OverflowError):
        return None


def _declared(value: Value) -> Usage | None:
    """None when the value cannot be parsed, so that the next source is asked."""
    try:
        parsed = values.from_json(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return normalised(parsed) if isinstance(parsed, dict) else {}


def _from_openai(details: Mapping[str, Value]) -> Usage:
    usage = _countable(
        {usage_keys.OPENAI_NAMES[key]: value for key, value in details.items() if key in usage_keys.OPENAI_NAMES}
    )
    for key, side in usage_keys.OPENAI_DETAILS.items():
        inner = details.get(key)
        if isinstance(inner, dict):
            parts = _countable({f"{side}_{name}": value for name, value in inner.items()})
            usage |= parts
            usage[side] = max(usage.get(side, 0) - sum(parts.values()), 0)
    return usage


def _counted(group: SpanGroup) -> list[Usage] | None:
    scope = group.frame.scope_name
    if scope == "genkit-tracer":
        return _genkit(group)
    if scope == "ai":
        present = group.shape.present(usage_keys.VERCEL_KEYS)
        return _each(_vercel, [(key, group.column(key)) for key in present], len(group))
    named = [
        (name, group.column(key))
        for prefix in PREFIXES
        for key, name in group.shape.prefixed(prefix)
        if key not in NOT_USAGE
    ]
    if scope == usage_keys.ADK_SCOPE and group.has(usage_keys.ADK_RESPONSE):
        responses = map(values.parsed_or_none, group.column(usage_keys.ADK_RESPONSE))
        named.append((usage_keys.ADK_CACHED, [_at(response, usage_keys.ADK_CACHED_PATH) for response in responses]))
    return _each(_generic, named, len(group))


def _each(
    rename: Callable[[Mapping[str, Value]], Usage], named: list[tuple[str, list[Value]]], count: int
) -> list[Usage] | None:
    if not named:
        return None
    return [rename({name: column[place] for name, column in named}) for place in range(count)]


def _generic(counts: Mapping[str, Value]) -> Usage:
    known = _countable(counts)
    usage = _renamed(known, usage_keys.SOURCES)
    rest = {
        name.removeprefix("details."): count for name, count in known.items() if name not in usage_keys.SOURCE_NAMES
    }
    return {**_without_parts(usage, usage_keys.PARTS), **rest}


def _vercel(attributes: Mapping[str, Value]) -> Usage:
    usage = _renamed(_countable(attributes), usage_keys.VERCEL)
    provider = values.parsed_or_none(attributes.get(usage_keys.VERCEL_PROVIDER_KEY))
    for path, key in usage_keys.VERCEL_PROVIDER.items():
        usage |= _countable({key: _at(provider, path)})
    return _without_parts(usage, usage_keys.VERCEL_PARTS)


def _genkit(group: SpanGroup) -> list[Usage] | None:
    if not group.has("genkit:output"):
        return None
    usages = []
    for output in group.column("genkit:output"):
        counts = _at(values.parsed_or_none(output), ("usage",))
        known = counts if isinstance(counts, dict) else {}
        usage = _countable({ours: known[theirs] for theirs, ours in usage_keys.GENKIT.items() if theirs in known})
        usages.append(_without_parts(usage, usage_keys.GENKIT_PARTS))
    return usages


def _renamed(known: Usage, sources: Mapping[str, Keys]) -> Usage:
    usage = {}
    for key, names in sources.items():
        found = next((known[name] for name in names if name in known), None)
        if found is not None:
            usage[key] = found
    return usage


def _without_parts(usage: Usage, parts: Mapping[str, Keys]) -> Usage:
    for side, names in parts.items():
        if side in usage:
            usage[side] = max(usage[side] - sum(usage.get(name, 0) for name in names), 0)
    return usage


def _at(value: Value, path: tuple[str, ...]) -> Value:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value

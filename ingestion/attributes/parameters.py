"""The parameters with which a model was called."""

from collections.abc import Callable

from ingestion import values
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.rows import Columns
from ingestion.values import Value

# Contract 4.2, model parameters.
EXPLICIT_KEY = "langfuse.observation.model.parameters"
JSON_KEYS: Keys = ("llm.invocation_parameters", "model_config")
REQUEST_PREFIXES: tuple[str, ...] = ("gen_ai.request.", "llm.invocation_parameters.")
NOT_PARAMETERS = frozenset({"gen_ai.request.model"})
# Vercel AI SDK (scope `ai`): the parameter, and where it comes from.
VERCEL: dict[str, Keys] = {
    "maxSteps": ("ai.settings.maxSteps",),
    "toolChoice": ("ai.prompt.toolChoice",),
    "maxTokens": ("gen_ai.request.max_tokens",),
    "finishReason": ("gen_ai.response.finish_reasons", "gen_ai.finishReason"),
    "system": ("gen_ai.system", "ai.model.provider"),
    "maxRetries": ("ai.settings.maxRetries",),
    "mode": ("ai.settings.mode",),
    "temperature": ("gen_ai.request.temperature",),
    "service_tier": ("gen_ai.request.service_tier",),
}
VERCEL_SCOPE = "ai"
# The tier that the provider applied comes before the one that was asked for.
VERCEL_PROVIDER_KEY = "ai.response.providerMetadata"
VERCEL_TIER_PATH: Keys = ("openai", "serviceTier")
# Genkit: within the JSON of its input, or of the request that its output repeats.
GENKIT_SCOPE = "genkit-tracer"
GENKIT: tuple[tuple[str, Keys], ...] = (("genkit:input", ("config",)), ("genkit:output", ("request", "config")))

Source = Callable[[SpanGroup], list[str] | None]

# What stays as it is; everything else becomes JSON text.
_SCALARS = frozenset({str, int, float})


def fill(group: SpanGroup, columns: Columns) -> None:
    """Sets `model_parameters` to the text of a JSON object."""
    found: list[str] | None = None
    for source in (_declared, _vercel, _genkit, *_JSON_SOURCES, _requested, _unreadable):
        others = source(group)
        if others is None:
            continue
        found = others if found is None else [one or other for one, other in zip(found, others, strict=True)]
        if all(found):
            break
    if found is not None:
        columns.put("model_parameters", group.rows, found)


def _json(key: str) -> Source:
    def source(group: SpanGroup) -> list[str] | None:
        return group.each(_object, group.column(key)) if group.has(key) else None

    return source


def _object(value: Value) -> str:
    """The value as it came when it is an object of texts and numbers, repaired when it holds others, '' otherwise."""
    parsed = values.parsed_or_none(value)
    if not isinstance(parsed, dict) or not parsed:
        return ""
    if isinstance(value, str) and all(type(item) in _SCALARS for item in parsed.values()):
        return value
    return _text(parsed)


_JSON_SOURCES: tuple[Source, ...] = tuple(map(_json, JSON_KEYS))
_explicit = _json(EXPLICIT_KEY)


def _declared(group: SpanGroup) -> list[str] | None:
    """The explicit ones; of the Vercel AI SDK they are laid over its own."""
    return None if group.frame.scope_name == VERCEL_SCOPE else _explicit(group)


def _vercel(group: SpanGroup) -> list[str] | None:
    if group.frame.scope_name != VERCEL_SCOPE:
        return None
    columns = {name: group.first(keys) for name, keys in VERCEL.items()}
    tiers = columns["service_tier"] or group.constant(None)
    if group.has(VERCEL_PROVIDER_KEY):
        reported = [_at(value, VERCEL_TIER_PATH) for value in group.column(VERCEL_PROVIDER_KEY)]
        tiers = [one or other for one, other in zip(reported, tiers, strict=True)]
    columns["service_tier"] = tiers
    explicit = group.first((EXPLICIT_KEY,)) or group.constant(None)
    return [
        _merged({name: column[place] for name, column in columns.items() if column is not None}, overlay)
        for place, overlay in enumerate(explicit)
    ]


def _merged(parameters: dict[str, Value], overlay: Value) -> str:
    given: dict[str, Value] = {name: values.text(value) for name, value in parameters.items() if value is not None}
    explicit = values.parsed_or_none(overlay)
    if isinstance(explicit, dict):
        given |= explicit
    return _text(given) if given else ""


def _genkit(group: SpanGroup) -> list[str] | None:
    if group.frame.scope_name != GENKIT_SCOPE:
        return None
    found = [""] * len(group)
    for key, path in GENKIT:
        if group.has(key):
            configured = [_object(_at(value, path)) for value in group.column(key)]
            found = [one or other for one, other in zip(found, configured, strict=True)]
    return found


def _requested(group: SpanGroup) -> list[str] | None:
    named = [
        (name, group.column(key))
        for prefix in REQUEST_PREFIXES
        for key, name in group.shape.prefixed(prefix)
        if key not in NOT_PARAMETERS
    ]
    if not named:
        return None
    return [_text({name: column[place] for name, column in named}) for place in range(len(group))]


def _unreadable(group: SpanGroup) -> list[str] | None:
    """What is no JSON object is kept as it is when nothing else is known."""
    return group.first_texts((EXPLICIT_KEY, *JSON_KEYS))


def _text(parameters: dict[str, Value]) -> str:
    return values.to_json(
        {name: value if type(value) in _SCALARS else values.to_json(value) for name, value in parameters.items()}
    )


def _at(value: Value, path: Keys) -> Value:
    found = values.parsed_or_none(value)
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found

"""The parameters with which a model was called."""

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


def fill(group: SpanGroup, columns: Columns) -> None:
    """Sets `model_parameters` to the text of a JSON object."""
    if group.frame.scope_name == "ai":
        columns.put("model_parameters", group.rows, _vercel(group))
        return
    found = group.first_texts((EXPLICIT_KEY,))
    for key in JSON_KEYS if found is None else ():
        if group.has(key):
            found = values.texts(group.column(key))
            break
    if found is None:
        found = _requested(group)
    if found is not None:
        columns.put("model_parameters", group.rows, found)


def _vercel(group: SpanGroup) -> list[str]:
    columns = {name: group.first(keys) for name, keys in VERCEL.items()}
    explicit = group.first((EXPLICIT_KEY,)) or group.constant(None)
    return [
        _merged({name: column[place] for name, column in columns.items() if column is not None}, overlay)
        for place, overlay in enumerate(explicit)
    ]


def _merged(parameters: dict[str, Value], overlay: Value) -> str:
    given = {name: _scalar(value) for name, value in parameters.items() if value is not None}
    explicit = values.parsed_or_none(overlay)
    if isinstance(explicit, dict):
        given |= explicit
    return values.to_json(given) if given else ""


def _requested(group: SpanGroup) -> list[str] | None:
    named = [
        (name, group.column(key))
        for prefix in REQUEST_PREFIXES
        for key, name in group.shape.prefixed(prefix)
        if key not in NOT_PARAMETERS
    ]
    if not named:
        return None
    return [values.to_json({name: _scalar(column[place]) for name, column in named}) for place in range(len(group))]


def _scalar(value: Value) -> Value:
    return value if isinstance(value, str | int | float) else values.text(value)

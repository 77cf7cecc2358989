"""The type of an observation."""

from collections.abc import Callable, Mapping

from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.rows import Columns
from ingestion.values import Value

Found = list[str | None] | None
Rule = Callable[[SpanGroup], Found]

DEFAULT = "SPAN"

# Contract 4.3, priority 1: Langfuse's own names, lower case only.
LANGFUSE = {
    name: name.upper()
    for name in (
        "span", "generation", "event", "embedding", "agent", "tool", "chain", "retriever", "guardrail", "evaluator",
    )
}  # fmt: skip
# Priority 2.
OPENINFERENCE = {
    name: name for name in ("CHAIN", "RETRIEVER", "EMBEDDING", "AGENT", "TOOL", "GUARDRAIL", "EVALUATOR")
} | {"LLM": "GENERATION"}
# Priority 3.
GEN_AI_OPERATION = dict.fromkeys(
    ("chat", "completion", "text_completion", "generate_content", "generate"), "GENERATION"
)
GEN_AI_OPERATION |= {
    "embeddings": "EMBEDDING", "invoke_agent": "AGENT", "create_agent": "AGENT", "execute_tool": "TOOL",
}  # fmt: skip
# Priority 4.
GENKIT = {
    "model": "GENERATION", "background-model": "GENERATION", "embedder": "EMBEDDING", "tool": "TOOL",
    "tool.v2": "TOOL", "retriever": "RETRIEVER", "evaluator": "EVALUATOR",
}  # fmt: skip
# Priority 5: only with a model; priority 6: with or without.
VERCEL_MODEL_CALLS = {
    "ai.generateText.doGenerate": "GENERATION", "ai.generateObject.doGenerate": "GENERATION",
    "ai.streamText.doStream": "GENERATION", "ai.streamObject.doStream": "GENERATION",
    "ai.embed.doEmbed": "EMBEDDING", "ai.embedMany.doEmbed": "EMBEDDING",
}  # fmt: skip
VERCEL_TOOLS = {"ai.toolCall": "TOOL"}
VERCEL_OPERATION: Keys = ("ai.operationId", "operation.name")
VERCEL_MODEL: Keys = ("langfuse.observation.model.name", "ai.model.id", "gen_ai.request.model", "gen_ai.response.model")
# Priorities 7 and 8: the presence of a key is enough.
TOOL_KEYS: Keys = ("gen_ai.tool.name", "gen_ai.tool.call.id", "flue.tool.name", "flue.tool.call_id")
AGENT_KEYS: Keys = ("flue.task.id", "flue.task.agent")
# Priority 9.
LIVEKIT = {"agent_turn": "AGENT", "start_agent_activity": "AGENT", "function_tool": "TOOL"}
# Priority 10.
MODEL_KEYS: Keys = (
    "langfuse.observation.model.name", "gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "model",
)  # fmt: skip
# Beyond the contract, and therefore last: OpenLLMetry's own kinds.
TRACELOOP = {"workflow": "CHAIN", "task": "CHAIN", "agent": "AGENT", "tool": "TOOL"}

# Priority 0: SDK 3.3 and earlier sent generations as spans (langfuse issue 8682).
GENERATION_KEYS: Keys = tuple(
    f"langfuse.observation.{name}"
    for name in (
        "model.name", "cost_details", "usage_details", "completion_start_time", "model.parameters", "prompt.name",
        "prompt.version",
    )
)  # fmt: skip
_LAST_MISTYPING_VERSION = (3, 3)


def _named(key: str, names: Mapping[str, str]) -> Rule:
    def rule(group: SpanGroup) -> Found:
        return [_lookup(names, value) for value in group.column(key)] if group.has(key) else None

    return rule


def _lookup(names: Mapping[str, str], value: Value) -> str | None:
    return names.get(value) if isinstance(value, str) else None


def _having(keys: Keys, type_: str) -> Rule:
    def rule(group: SpanGroup) -> Found:
        found = group.first(keys)
        return None if found is None else [type_ if value else None for value in found]

    return rule


def _old_langfuse_sdk(group: SpanGroup) -> Found:
    frame = group.frame
    if frame.scope_name != "langfuse-sdk" or not group.shape.present(GENERATION_KEYS):
        return None
    is_python = frame.resource.get("telemetry.sdk.language") == "python"
    if not is_python or _version(frame.scope_version) > _LAST_MISTYPING_VERSION or not group.has(LANGFUSE_KEY):
        return None
    return ["GENERATION" if value == "span" else None for value in group.column(LANGFUSE_KEY)]


def _version(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


def _vercel(group: SpanGroup) -> Found:
    operations = group.first_texts(VERCEL_OPERATION)
    if operations is None:
        return None
    models = group.first(VERCEL_MODEL) or group.constant(None)
    return [_vercel_type(operation, bool(model)) for operation, model in zip(operations, models, strict=True)]


def _vercel_type(operation: str, has_model: bool) -> str | None:  # noqa: FBT001  # private, called once
    # `operation.name` is the operation's id, a blank, and the function's id.
    name = operation.split(" ", 1)[0]
    return (VERCEL_MODEL_CALLS.get(name) if has_model else None) or VERCEL_TOOLS.get(name)


def _livekit(group: SpanGroup) -> Found:
    if group.frame.scope_name != "livekit-agents":
        return None
    return [LIVEKIT.get(span.name.decode("utf-8", "replace")) for span in group.spans]


LANGFUSE_KEY = "langfuse.observation.type"

RULES: tuple[Rule, ...] = (
    _old_langfuse_sdk,
    _named(LANGFUSE_KEY, LANGFUSE),
    _named("openinference.span.kind", OPENINFERENCE),
    _named("gen_ai.operation.name", GEN_AI_OPERATION),
    _named("genkit:metadata:subtype", GENKIT),
    _vercel,
    _having(TOOL_KEYS, "TOOL"),
    _having(AGENT_KEYS, "AGENT"),
    _livekit,
    _having(MODEL_KEYS, "GENERATION"),
    _named("traceloop.span.kind", TRACELOOP),
)


def fill(group: SpanGroup, columns: Columns) -> list[str]:
    """Sets `type`, and returns it, since what follows depends on it."""
    types: list[str | None] = [None] * len(group)
    for rule in RULES:
        found = rule(group)
        if found is not None:
            types = [type_ or other for type_, other in zip(types, found, strict=True)]
            if all(types):
                break
    known = [type_ or DEFAULT for type_ in types]
    columns.put("type", group.rows, known)
    return known

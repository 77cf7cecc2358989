"""Input and output of an observation."""

from collections.abc import Callable, Iterable

from ingestion import values
from ingestion.attributes import events, messages
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.previews import preview
from ingestion.rows import Columns
from ingestion.values import Value

Found = tuple[list[Value], list[Value]]
Branch = Callable[[SpanGroup], Found | None]

FLATTENED: tuple[tuple[str, str], ...] = (
    ("gen_ai.prompt", "gen_ai.completion"),
    ("llm.input_messages", "llm.output_messages"),
)
FLATTENED_PREFIXES: tuple[str, ...] = tuple(prefix for pair in FLATTENED for prefix in pair)


def _pair(inputs: Keys, outputs: Keys, scope: str = "") -> Branch:
    def branch(group: SpanGroup) -> Found | None:
        if scope and group.frame.scope_name != scope:
            return None
        if not group.shape.present(inputs + outputs):
            return None
        return _column(group, inputs), _column(group, outputs)

    INPUT_KEYS.update(inputs)
    OUTPUT_KEYS.update(outputs)
    return branch


def _column(group: SpanGroup, keys: Keys) -> list[Value]:
    return group.first(keys) or group.constant(None)


INPUT_KEYS: set[str] = set()
OUTPUT_KEYS: set[str] = set()

# The last is beyond the contract, which leaves it out of the metadata and uses it nowhere.
_LIVEKIT_INPUT: Keys = ("lk.input_text", "lk.user_transcript", "lk.chat_ctx", "lk.user_input")
_FLUE_INPUT: Keys = ("flue.turn.input", "flue.tool.arguments", "flue.task.prompt", "flue.workflow.payload")
_FLUE_OUTPUT: Keys = (
    "flue.turn.output", "flue.tool.result", "flue.task.result", "flue.operation.result", "flue.workflow.result",
)  # fmt: skip


def _flattened(group: SpanGroup) -> Found | None:
    for input_prefix, output_prefix in FLATTENED:
        found = messages.unflattened(group, input_prefix), messages.unflattened(group, output_prefix)
        if found != (None, None):
            return found[0] or group.constant(None), found[1] or group.constant(None)
    return None


# Contract 4.4, in its order: per span the first branch with a value for either side gives both.
BRANCHES: tuple[Branch, ...] = (
    _pair(("langfuse.observation.input",), ("langfuse.observation.output",)),
    messages.genkit,
    messages.vercel,
    _pair(_FLUE_INPUT, _FLUE_OUTPUT, "@flue/opentelemetry"),
    lambda group: events.from_events(group, extracted),
    messages.google_adk,
    _pair(("prompt",), ("all_messages_events",)),
    _pair(_LIVEKIT_INPUT, ("lk.function_tool.output", "lk.response.text")),
    messages.logfire_events,
    _pair(("mlflow.spanInputs",), ("mlflow.spanOutputs",)),
    _pair(("traceloop.entity.input",), ("traceloop.entity.output",)),
    _pair(("input.value",), ("output.value",)),
    _pair(("input",), ("output",)),
    messages.pydantic_ai,
    _pair(("tool_arguments",), ("tool_response",)),
    _flattened,
    messages.gen_ai_messages,
    messages.gen_ai_tool_call,
)
# `tool_arguments` and `tool_response` stay among the metadata, as in the contract.
IO_KEYS = frozenset(INPUT_KEYS | OUTPUT_KEYS | messages.KEYS) - {"tool_arguments", "tool_response"}


def fill(group: SpanGroup, columns: Columns) -> None:
    """Sets `input`, `output` and their previews."""
    inputs, outputs = extracted(group)
    for name, found in (("input", inputs), ("output", outputs)):
        if any(value is not None for value in found):
            texts = values.texts(found)
            columns.put(name, group.rows, texts)
            columns.put(f"{name}_preview", group.rows, list(map(preview, texts)))


def extracted(group: SpanGroup) -> Found:
    """Input and output of each span, None for what it does not say."""
    inputs, outputs = group.constant(None), group.constant(None)
    missing: Iterable[int] = range(len(group))
    for branch in BRANCHES:
        found = branch(group)
        if found is None:
            continue
        still_missing = []
        for place in missing:
            input_, output = found[0][place], found[1][place]
            if (input_ is None or input_ == "") and (output is None or output == ""):
                still_missing.append(place)
            else:
                inputs[place], outputs[place] = input_, output
        if not still_missing:
            break
        missing = still_missing
    return inputs, outputs

"""Messages as each framework's conventions spread them over attributes and events."""

from collections.abc import Iterator

from ingestion import values, wire
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.values import Value

Found = tuple[list[Value], list[Value]]
Pair = tuple[Value, Value]

# Contract 4.4, step 3: the Vercel AI SDK.
VERCEL_INPUT: Keys = ("ai.prompt.messages", "ai.prompt", "ai.toolCall.args")
VERCEL_TEXT = "ai.response.text"
VERCEL_TOOL_CALLS = "ai.response.toolCalls"
VERCEL_OUTPUT: Keys = (
    VERCEL_TEXT,
    "ai.result.text",
    "ai.toolCall.result",
    "ai.response.object",
    "ai.result.object",
    VERCEL_TOOL_CALLS,
    "ai.result.toolCalls",
)
# Steps 5 to 7: events.
OPERATION_EVENT = "gen_ai.client.inference.operation.details"
MESSAGE_EVENTS = {f"gen_ai.{role}.message": role for role in ("system", "user", "assistant", "tool")}
CHOICE_EVENT = "gen_ai.choice"
CONTENT_EVENTS = {
    "gen_ai.content.prompt": ("gen_ai.prompt", 0),
    "gen_ai.content.completion": ("gen_ai.completion", 1),
}
# Step 8.
ADK_INPUT = ("gcp.vertex.agent.llm_request", "gcp.vertex.agent.tool_call_args")
ADK_OUTPUT = ("gcp.vertex.agent.llm_response", "gcp.vertex.agent.tool_response")
# Step 11.
LOGFIRE_EVENTS = "events"
# Step 19.
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
INSTRUCTIONS = "gen_ai.system_instructions"

# Every key read here: input and output are not repeated among the metadata.
KEYS = frozenset(
    {
        *VERCEL_INPUT,
        *VERCEL_OUTPUT,
        *ADK_INPUT,
        *ADK_OUTPUT,
        LOGFIRE_EVENTS,
        INPUT_MESSAGES,
        OUTPUT_MESSAGES,
        INSTRUCTIONS,
        "genkit:input",
        "genkit:output",
    }
)

_MAX_SLOTS = 10_001
_UNSAFE_SEGMENTS = frozenset({"__proto__", "constructor", "prototype"})


def genkit(group: SpanGroup) -> Found | None:
    """Step 2: the message or messages within genkit's own JSON."""
    if group.frame.scope_name != "genkit-tracer":
        return None
    inputs = group.first(("genkit:input",)) or group.constant(None)
    outputs = group.first(("genkit:output",)) or group.constant(None)
    return [_member(value, "messages") for value in inputs], [_member(value, "message") for value in outputs]


def _member(value: Value, name: str) -> Value:
    parsed = values.parsed_or_none(value)
    return parsed[name] if isinstance(parsed, dict) and parsed.get(name) else value


def vercel(group: SpanGroup) -> Found | None:
    """Step 3: text and tool calls of one answer become one message."""
    if group.frame.scope_name != "ai":
        return None
    outputs = group.first(VERCEL_OUTPUT) or group.constant(None)
    if group.has(VERCEL_TEXT) and group.has(VERCEL_TOOL_CALLS):
        answers = zip(group.column(VERCEL_TEXT), group.column(VERCEL_TOOL_CALLS), outputs, strict=True)
        outputs = [
            _answer(text, values.parsed_or_none(calls)) if text and calls else output for text, calls, output in answers
        ]
    return group.first(VERCEL_INPUT) or group.constant(None), outputs


def _answer(text: Value, calls: Value) -> Value:
    return {"role": "assistant", "content": text, "tool_calls": calls}


def from_events(group: SpanGroup) -> Found | None:
    """Steps 5 to 7: messages that came as events of the span."""
    if not any(span.events for span in group.spans):
        return None
    pairs = [_from_events(span.events) if span.events else (None, None) for span in group.spans]
    return [input_ for input_, _ in pairs], [output for _, output in pairs]


def _from_events(raws: list[bytes]) -> Pair:
    inputs: list[Value] = []
    outputs: list[Value] = []
    content: list[Value] = [None, None]
    for name, attributes in _events(raws):
        if name == OPERATION_EVENT:
            return _operation(attributes)
        if name in MESSAGE_EVENTS:
            inputs.append({"role": MESSAGE_EVENTS[name], **attributes})
        elif name == CHOICE_EVENT:
            outputs.append(attributes)
        elif name in CONTENT_EVENTS:
            key, side = CONTENT_EVENTS[name]
            content[side] = attributes.get(key) or attributes or None
    if inputs or outputs:
        return inputs or None, outputs[0] if len(outputs) == 1 else outputs or None
    return content[0], content[1]


def _events(raws: list[bytes]) -> Iterator[tuple[str, dict[str, Value]]]:
    for raw in raws:
        event = wire.lenient(wire.Event, raw)
        name = event.name.decode("utf-8", "replace")
        if name.startswith("gen_ai."):
            yield name, values.attributes(event.attributes)


def _operation(attributes: dict[str, Value]) -> Pair:
    inputs = attributes.get(INPUT_MESSAGES)
    return _with_instructions(inputs, attributes.get(INSTRUCTIONS)), attributes.get(OUTPUT_MESSAGES)


def google_adk(group: SpanGroup) -> Found | None:
    """Step 8: Google's agent kit writes `{}` for nothing."""
    if not group.shape.present(ADK_INPUT + ADK_OUTPUT):
        return None
    return _said(group, ADK_INPUT), _said(group, ADK_OUTPUT)


def _said(group: SpanGroup, keys: Keys) -> list[Value]:
    found = group.first(keys, lambda value: bool(value) and value != "{}")
    return group.constant(None) if found is None else found


def logfire_events(group: SpanGroup) -> Found | None:
    """Step 11: one attribute that lists all events."""
    if not group.has(LOGFIRE_EVENTS):
        return None
    pairs = [_listed(values.parsed_or_none(value)) for value in group.column(LOGFIRE_EVENTS)]
    return [input_ for input_, _ in pairs], [output for _, output in pairs]


def _listed(events: Value) -> Pair:
    if not isinstance(events, list):
        return None, None
    known = [event for event in events if isinstance(event, dict)]
    choices = [event for event in known if event.get("event.name") == CHOICE_EVENT]
    inputs: list[Value] = [event for event in known if event.get("event.name") != CHOICE_EVENT]
    return inputs or None, choices[0] if choices else None


def unflattened(group: SpanGroup, prefix: str) -> list[Value] | None:
    """Step 18: `prefix.0.message.role` and its like, put together again; None when the shape has none."""
    if group.has(prefix):
        return group.column(prefix)
    named = [(name.split("."), group.column(key)) for key, name in group.shape.prefixed(f"{prefix}.")]
    usable = [(path, column) for path, column in named if _UNSAFE_SEGMENTS.isdisjoint(path)]
    if not usable:
        return None
    return [_assembled([(path, column[place]) for path, column in usable]) for place in range(len(group))]


def _assembled(leaves: list[tuple[list[str], Value]]) -> Value:
    root: dict[str, Value] = {}
    for path, leaf in leaves[:_MAX_SLOTS]:
        place = root
        for segment in path[:-1]:
            inner = place.get(segment)
            if not isinstance(inner, dict):
                inner = place[segment] = {}
            place = inner
        place[path[-1]] = leaf
    return _listed_by_number(root)


def _listed_by_number(value: Value) -> Value:
    """Objects whose keys are all numbers become lists, in the order of the numbers."""
    if not isinstance(value, dict):
        return value
    parts = {key: _listed_by_number(part) for key, part in value.items()}
    if parts and all(key.isdecimal() for key in parts):
        return [parts[key] for key in sorted(parts, key=int)]
    return parts


def gen_ai_messages(group: SpanGroup) -> Found | None:
    """Step 19: the semantic conventions' messages, system instructions first."""
    if not group.shape.present((INPUT_MESSAGES, OUTPUT_MESSAGES, INSTRUCTIONS)):
        return None
    inputs = group.first((INPUT_MESSAGES,)) or group.constant(None)
    if group.has(INSTRUCTIONS):
        inputs = list(map(_with_instructions, inputs, group.column(INSTRUCTIONS)))
    return inputs, group.first((OUTPUT_MESSAGES,)) or group.constant(None)


def _with_instructions(messages: Value, instructions: Value) -> Value:
    if not instructions:
        return messages
    listed = values.parsed_or_none(messages) or []
    if not isinstance(listed, list) or any(isinstance(one, dict) and one.get("role") == "system" for one in listed):
        return messages
    system: Value = {"role": "system", "content": _joined(values.parsed_or_none(instructions) or instructions)}
    return [system, *listed]


def _joined(instructions: Value) -> str:
    if not isinstance(instructions, list):
        return values.text(instructions)
    parts = [part.get("content") if isinstance(part, dict) else part for part in instructions]
    return "\n".join(values.text(part) for part in parts if part is not None)

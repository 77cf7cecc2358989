"""Messages as each framework's conventions spread them over attributes and events."""

from ingestion import values
from ingestion.attributes.group import SpanGroup
from ingestion.attributes.shape import Keys
from ingestion.values import Value

Found = tuple[list[Value], list[Value]]
Pair = tuple[Value, Value]

# Contract 4.4, step 3: the Vercel AI SDK.
# The last two, what was embedded, are beyond the contract.
VERCEL_INPUT: Keys = ("ai.prompt.messages", "ai.prompt", "ai.toolCall.args", "ai.values", "ai.value")
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
# Step 8.
ADK_INPUT = ("gcp.vertex.agent.llm_request", "gcp.vertex.agent.tool_call_args")
ADK_OUTPUT = ("gcp.vertex.agent.llm_response", "gcp.vertex.agent.tool_response")
# Step 11.
LOGFIRE_EVENTS = "events"
LOGFIRE_CHOICE = "gen_ai.choice"
# Step 16.
PYDANTIC_AI_INPUT = "pydantic_ai.all_messages"
PYDANTIC_AI_OUTPUT = "final_result"
# Step 19.
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
INSTRUCTIONS = "gen_ai.system_instructions"
TOOL_INPUT = "gen_ai.tool.call.arguments"
TOOL_OUTPUT = "gen_ai.tool.call.result"

# Every key read here: input and output are not repeated among the metadata.
KEYS = frozenset(
    {
        *VERCEL_INPUT,
        *VERCEL_OUTPUT,
        *ADK_INPUT,
        *ADK_OUTPUT,
        LOGFIRE_EVENTS,
        PYDANTIC_AI_INPUT,
        PYDANTIC_AI_OUTPUT,
        INPUT_MESSAGES,
        OUTPUT_MESSAGES,
        INSTRUCTIONS,
        TOOL_INPUT,
        TOOL_OUTPUT,
        "genkit:input",
        "genkit:output",
    }
)

_MAX_SLOTS = 10_001
# Of a position in a list; what is longer is a name.
_MAX_DIGITS = 18
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
            _answer(text, values.parsed_or_none(calls) or calls) if text and calls else output
            for text, calls, output in answers
        ]
    inputs = group.first(VERCEL_INPUT) or group.constant(None)
    for conventions in (gen_ai_messages(group), gen_ai_tool_call(group)):
        if conventions is not None:
            inputs, outputs = _completed(inputs, conventions[0]), _completed(outputs, conventions[1])
    return inputs, outputs


def _completed(found: list[Value], others: list[Value]) -> list[Value]:
    return [other if value is None or value == "" else value for value, other in zip(found, others, strict=True)]


def _answer(text: Value, calls: Value) -> Value:
    return {"role": "assistant", "content": text, "tool_calls": calls}


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
    choices = [event for event in known if event.get("event.name") == LOGFIRE_CHOICE]
    inputs: list[Value] = [event for event in known if event.get("event.name") != LOGFIRE_CHOICE]
    return inputs or None, choices[0] if choices else None


def unflattened(group: SpanGroup, prefix: str) -> list[Value] | None:
    """Step 18: `prefix.0.message.role` and its like, put together again; None when the shape has none."""
    if group.has(prefix):
        return group.column(prefix)
    named = [(name.split("."), group.column(key)) for key, name in group.shape.prefixed(f"{prefix}.")]
    usable = [(path, column) for path, column in named if _is_usable(path)]
    if not usable:
        return None
    return [_assembled([(path, column[place]) for path, column in usable]) for place in range(len(group))]


def _is_usable(path: list[str]) -> bool:
    return len(path) <= values.MAX_DEPTH and _UNSAFE_SEGMENTS.isdisjoint(path)


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
    if parts and all(key.isdecimal() and len(key) <= _MAX_DIGITS for key in parts):
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


def gen_ai_tool_call(group: SpanGroup) -> Found | None:
    """Step 19: the semantic conventions' tool calls."""
    if not group.shape.present((TOOL_INPUT, TOOL_OUTPUT)):
        return None
    return group.first((TOOL_INPUT,)) or group.constant(None), group.first((TOOL_OUTPUT,)) or group.constant(None)


def pydantic_ai(group: SpanGroup) -> Found | None:
    """Step 16: an agent's whole conversation, system instructions first."""
    if group.frame.scope_name != "pydantic-ai" or not group.shape.present((PYDANTIC_AI_INPUT, PYDANTIC_AI_OUTPUT)):
        return None
    inputs = group.first((PYDANTIC_AI_INPUT,)) or group.constant(None)
    if group.has(INSTRUCTIONS):
        inputs = list(map(_with_instructions, inputs, group.column(INSTRUCTIONS)))
    return inputs, group.first((PYDANTIC_AI_OUTPUT,)) or group.constant(None)


def _with_instructions(messages: Value, instructions: Value) -> Value:
    system = _system_messages(instructions)
    listed = values.parsed_or_none(messages) or []
    if not system or not isinstance(listed, list):
        return messages
    if any(isinstance(message, dict) and message.get("role") == "system" for message in listed):
        return messages
    return [*system, *listed]


def _system_messages(instructions: Value) -> list[Value]:
    """Whole messages as they are; parts and plain text joined into one message."""
    parsed = values.parsed_or_none(instructions)
    if isinstance(parsed, list):
        messages = [{"role": "system", **part} for part in parsed if isinstance(part, dict) and "parts" in part]
        if messages and len(messages) == len(parsed):
            return list(messages)
        content = "\n".join(filter(None, map(_spoken, parsed)))
    else:
        content = values.text(instructions if parsed is None else parsed)
    return [{"role": "system", "content": content}] if content else []


def _spoken(part: Value) -> str:
    """The text of a part, or of all parts of a message."""
    if not isinstance(part, dict):
        return part if isinstance(part, str) else ""
    inner = part.get("parts")
    if isinstance(inner, list):
        return "\n".join(values.text(each.get("content")) for each in inner if isinstance(each, dict))
    return values.text(part.get("content"))

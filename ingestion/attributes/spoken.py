"""What the tokens of a call are counted from where input and output hold a framework's own serialisation of it."""

from ingestion import values
from ingestion.attributes import messages
from ingestion.attributes.group import SpanGroup
from ingestion.values import Value

Spoken = tuple[str, str]

_INPUT, _OUTPUT = "llm.input_messages", "llm.output_messages"
_EMBEDDED = "embedding.embeddings"
# It has spans of calls around and before the one that reaches the model: those have no messages.
_LLAMA_INDEX = "openinference.instrumentation.llama_index"


def of(group: SpanGroup) -> list[Spoken | None] | None:
    """Per span, input and output as OpenInference has them beside `input.value`: JSON of messages, or what is embedded.

    None for a span, or for all of them, whose own columns are to be counted; two times '' when nothing is to be.
    """
    said, answered = messages.unflattened(group, _INPUT), messages.unflattened(group, _OUTPUT)
    embedded = messages.unflattened(group, _EMBEDDED)
    otherwise = ("", "") if group.frame.scope_name == _LLAMA_INDEX else None
    if said is None and answered is None and embedded is None and otherwise is None:
        return None
    nothing = group.constant(None)
    columns = zip(said or nothing, answered or nothing, embedded or nothing, strict=True)
    return [_spoken(*column) or otherwise for column in columns]


def _spoken(said: Value, answered: Value, embedded: Value) -> Spoken | None:
    if said or answered:
        return _chat(said), _chat(answered)
    texts = [values.text(_inner(one, "embedding").get("text")) for one in _items(embedded)]
    return ("\n".join(texts), "") if texts else None


def _chat(found: Value) -> str:
    return values.to_json([_message(one) for one in _items(found)]) if found else ""


def _message(item: Value) -> dict[str, Value]:
    message = dict(_inner(item, "message"))
    if "contents" in message:
        message["content"] = [_inner(part, "message_content") for part in _items(message["contents"])]
    if "tool_calls" in message:
        message["tool_calls"] = [_inner(call, "tool_call") for call in _items(message["tool_calls"])]
    return {"role": "", **message}


def _items(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []


def _inner(value: Value, key: str) -> dict[str, Value]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}

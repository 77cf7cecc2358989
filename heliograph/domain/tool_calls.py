"""The calls of tools in a payload, whichever provider's shape they have."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from heliograph.domain.evaluators import ToolCall


def tool_calls_of(payload: object) -> list[ToolCall]:
    """All calls in a payload, in their order; a text is read as JSON first.

    Understood are messages of OpenAI (`tool_calls`, `function_call`) and its Responses API, of Anthropic (`tool_use`)
    and plain objects with a name and `arguments`, `args`, `input` or `parameters`.
    """
    if isinstance(payload, str):
        payload = _json(payload)
    return list(_calls(payload))


def _calls(payload: object) -> Iterator[ToolCall]:
    if isinstance(payload, ToolCall):
        yield payload
    elif isinstance(payload, list | tuple):
        for part in payload:
            yield from _calls(part)
    elif isinstance(payload, Mapping):
        call = _call(payload)
        if call is not None:
            yield call
        else:
            for key in (
                "tool_calls",
                "toolCalls",
                "function_call",
                "message",
                "choices",
                "content",
                "messages",
                "output",
            ):
                if isinstance(payload.get(key), list | dict):
                    yield from _calls(payload[key])


def _call(payload: Mapping[str, Any]) -> ToolCall | None:
    function = payload.get("function")
    named = function if isinstance(function, Mapping) else payload
    name = named.get("name") or named.get("tool_name")
    if not isinstance(name, str) or "role" in payload:
        return None
    for key in ("arguments", "args", "input", "parameters"):
        if key in named:
            return ToolCall(name, _arguments(named[key]))
    return ToolCall(name) if set(named) <= {"name", "tool_name", "id", "type"} else None


def _arguments(given: object) -> Mapping[str, Any]:
    value = _json(given) if isinstance(given, str) else given
    if value is None or value == "":
        return {}
    return value if isinstance(value, Mapping) else {"": value}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None

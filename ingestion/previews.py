"""Previews: the first characters of a payload in a readable form, so that lists never read payloads."""

from ingestion import values
from ingestion.values import Value

LENGTH = 200

# Beyond this a payload is cut, not parsed: its preview is not worth the time.
_MAX_PARSED = 1 << 18


def preview(text: str) -> str:
    """The content of the last message when the text is a chat, the text itself otherwise."""
    if text[:1] not in ("{", "[", '"') or len(text) > _MAX_PARSED:
        return text[:LENGTH]
    # The keys that mark the JSON of a message or a list of them.
    if text[0] == '"' or '"content"' in text or '"parts"' in text:
        readable = _readable(values.parsed_or_none(text), 0)
        if readable:
            return readable[:LENGTH]
    return text[:LENGTH]


def _readable(value: Value, depth: int) -> str:
    """The text a person would read first, or '' when there is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and depth < values.MAX_DEPTH:
        return _readable(value[-1], depth + 1)
    if not isinstance(value, dict) or depth >= values.MAX_DEPTH:
        return ""
    for key in ("content", "parts", "messages", "message", "text"):
        if value.get(key):
            return _readable(value[key], depth + 1)
    return ""

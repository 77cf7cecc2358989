"""JSON inside of texts: what a text hides behind escapes is looked at as its reader will see it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ingestion import values
from ingestion.values import Value

_OPENING = ("{", "[", '"')
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([nrtbf\"\\/]))")
_SHORT = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
# JSON within JSON within JSON doubles its escapes each time.
_MAX_LAYERS = 8


class Parsed(NamedTuple):
    """The value that a text holds."""

    value: Value


def parsed(content: str) -> Parsed | None:
    """The object, list or string that a text holds as JSON; None when it is plain text."""
    if not content.lstrip()[:1].startswith(_OPENING):
        return None
    try:
        return Parsed(values.from_json(content))
    except (ValueError, RecursionError):
        return None


def unescaped(content: str) -> str:
    """What a text says that was JSON before it was cut off, or nests too deeply to be read."""
    for _ in range(_MAX_LAYERS):
        said = _ESCAPE.sub(_said, content)
        if said == content:
            break
        content = said
    return content


def _said(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else _SHORT.get(escape[2], escape[2])


def leaves(value: Value) -> Iterator[str]:
    """Every text and number of a value, however deep, the keys too, and what its texts hold as JSON."""
    waiting: list[Value] = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
            inner = parsed(found)
            if inner is not None:
                waiting.append(inner.value)
        elif isinstance(found, dict):
            waiting.extend(found)
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
        elif isinstance(found, int | float) and not isinstance(found, bool):
            yield values.to_json(found)

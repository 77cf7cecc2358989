"""Shows what an application sent to a model and got back: chat, JSON or Markdown, all of it escaped.

Everything here is other people's text. It reaches the page only through `Markup.format`, which escapes, or through a
Markdown renderer that passes no HTML, no images (they would call other hosts) and no links but http, https and mailto.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

MAX_CHARACTERS = 200_000
MAX_MARKDOWN = 60_000
CALL_FIELDS = ("tool_calls", "function_call", "tool_call_id", "refusal")

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable("image")


def _is_safe_link(url: str) -> bool:
    return url.strip().lower().startswith(("http://", "https://", "mailto:"))


_markdown.validateLink = _is_safe_link  # type: ignore[method-assign]


class Style(StrEnum):
    """How a payload is shown: as what it seems to be, as JSON, as Markdown, or letter by letter."""

    FORMATTED = "formatted"
    JSON = "json"
    MARKDOWN = "markdown"
    PLAIN = "plain"


def payload(text: str, style: Style = Style.FORMATTED) -> Markup:
    """The payload as HTML that is safe to put into a page."""
    if not text:
        return Markup('<p class="absent">None</p>')
    if len(text) > MAX_CHARACTERS:
        size = f"{len(text):,}"
        return Markup('<p class="absent">Only the start of {} characters is shown.</p><pre>{}</pre>').format(
            size, text[:MAX_CHARACTERS]
        )
    if style is Style.PLAIN:
        return Markup("<pre>{}</pre>").format(text)
    try:
        return _styled(json.loads(text), style, text)
    except ValueError:
        return prose(text)


def prose(text: str) -> Markup:
    """Markdown as HTML; very long text as it is."""
    if len(text) > MAX_MARKDOWN:
        return Markup("<pre>{}</pre>").format(text)
    # The renderer escapes what it does not understand, which is what makes its output safe.
    return Markup('<div class="prose">{}</div>').format(Markup(_markdown.render(text)))  # noqa: S704


def pretty(value: Any) -> Markup:
    """JSON, indented."""
    return Markup("<pre>{}</pre>").format(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def facts(pairs: Sequence[tuple[str, str]]) -> Markup:
    """Names and values side by side; absent values are left out."""
    rows = [Markup("<dt>{}</dt><dd>{}</dd>").format(name, value) for name, value in pairs if value]
    return Markup("<dl>{}</dl>").format(Markup("").join(rows)) if rows else Markup("")


def section(title: str, body: Markup) -> Markup:
    """A titled part; nothing when the body is empty."""
    return Markup("<section><h3>{}</h3>{}</section>").format(title, body) if body else Markup("")


def notice(text: str) -> Markup:
    """An error's message."""
    return Markup('<p class="notice" role="note">{}</p>').format(text) if text else Markup("")


def _styled(value: Any, style: Style, text: str) -> Markup:
    match style:
        case Style.JSON:
            return pretty(value)
        case Style.MARKDOWN:
            return prose(value if isinstance(value, str) else text)
        case _:
            messages = _messages(value)
            return _chat(messages) if messages else _value(value)


def _value(value: Any) -> Markup:
    return prose(value) if isinstance(value, str) else pretty(value)


def _messages(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if isinstance(value.get("messages"), list):
            return _messages(value["messages"])
        return _messages([value]) if "role" in value and "content" in value else []
    is_chat = isinstance(value, list) and value and all(isinstance(item, Mapping) and "role" in item for item in value)
    return list(value) if is_chat else []


def _chat(messages: Sequence[Mapping[str, Any]]) -> Markup:
    return Markup("").join(_message(message) for message in messages)


def _message(message: Mapping[str, Any]) -> Markup:
    role = str(message["role"])
    parts = [_content(message.get("content"))]
    parts += [section(name.replace("_", " "), pretty(message[name])) for name in CALL_FIELDS if message.get(name)]
    known = role if role in {"system", "user", "assistant", "tool", "developer"} else "other"
    return Markup('<article class="message {}"><h4>{}</h4>{}</article>').format(known, role, Markup("").join(parts))


def _content(content: Any) -> Markup:
    if content is None or content == "":
        return Markup("")
    if isinstance(content, str):
        return prose(content)
    if isinstance(content, list):
        return Markup("").join(_part(part) for part in content)
    return pretty(content)


def _part(part: Any) -> Markup:
    if isinstance(part, Mapping) and isinstance(part.get("text"), str):
        return prose(part["text"])
    return pretty(part) if not isinstance(part, str) else prose(part)

"""Shows what an application sent to a model and got back: chat, JSON or Markdown, all of it escaped.

Everything here is other people's text. It reaches the page only through `Markup.format`, which escapes, or through a
Markdown renderer that passes no HTML, no images (they would call other hosts) and no links but http, https and mailto.
Files of the project are shown where it is named, see `media`.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from dashboard.components.media import gallery, understand_references

MAX_CHARACTERS = 200_000
MAX_MARKDOWN = 60_000
CALL_FIELDS = ("tool_calls", "function_call", "tool_call_id", "refusal")

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable("image")


def _is_safe_link(url: str) -> bool:
    return url.strip().lower().startswith(("http://", "https://", "mailto:"))


_markdown.validateLink = _is_safe_link  # type: ignore[method-assign]
understand_references(_markdown)


class Style(StrEnum):
    """How a payload is shown: as what it seems to be, as JSON, as Markdown, or letter by letter."""

    FORMATTED = "formatted"
    JSON = "json"
    MARKDOWN = "markdown"
    PLAIN = "plain"


def payload(text: str, style: Style = Style.FORMATTED, project_id: str = "") -> Markup:
    """The payload as HTML that is safe to put into a page, with the files of the project, if it is named."""
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
        return _styled(json.loads(text), text, style=style, project_id=project_id)
    except ValueError:
        return prose(text, project_id)


def prose(text: str, project_id: str = "") -> Markup:
    """Markdown as HTML; very long text as it is."""
    if len(text) > MAX_MARKDOWN:
        return Markup("<pre>{}</pre>").format(text)
    # The renderer escapes what it does not understand, which is what makes its output safe.
    rendered = Markup(_markdown.render(text, {"project_id": project_id}))  # noqa: S704
    return Markup('<div class="prose">{}</div>').format(rendered)


def pretty(value: Any, project_id: str = "") -> Markup:
    """JSON, indented, and the files to which it refers."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return Markup("<pre>{}</pre>{}").format(text, gallery(text, project_id))


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


def _styled(value: Any, text: str, *, style: Style, project_id: str) -> Markup:
    match style:
        case Style.JSON:
            return pretty(value, project_id)
        case Style.MARKDOWN:
            return prose(value if isinstance(value, str) else text, project_id)
        case _:
            messages = _messages(value)
            return _chat(messages, project_id) if messages else _value(value, project_id)


def _value(value: Any, project_id: str) -> Markup:
    return prose(value, project_id) if isinstance(value, str) else pretty(value, project_id)


def _messages(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if isinstance(value.get("messages"), list):
            return _messages(value["messages"])
        return _messages([value]) if "role" in value and "content" in value else []
    is_chat = isinstance(value, list) and value and all(isinstance(item, Mapping) and "role" in item for item in value)
    return list(value) if is_chat else []


def _chat(messages: Sequence[Mapping[str, Any]], project_id: str) -> Markup:
    return Markup("").join(_message(message, project_id) for message in messages)


def _message(message: Mapping[str, Any], project_id: str) -> Markup:
    role = str(message["role"])
    parts = [_content(message.get("content"), project_id)]
    parts += [section(name.replace("_", " "), pretty(message[name])) for name in CALL_FIELDS if message.get(name)]
    known = role if role in {"system", "user", "assistant", "tool", "developer"} else "other"
    return Markup('<article class="message {}"><h4>{}</h4>{}</article>').format(known, role, Markup("").join(parts))


def _content(content: Any, project_id: str) -> Markup:
    if content is None or content == "":
        return Markup("")
    if isinstance(content, list):
        return Markup("").join(_part(part, project_id) for part in content)
    return _value(content, project_id)


def _part(part: Any, project_id: str) -> Markup:
    """A part of a message: its text, or the file that it is, or else what it says."""
    if isinstance(part, Mapping) and isinstance(part.get("text"), str):
        return prose(part["text"], project_id)
    return gallery(json.dumps(part), project_id) or _value(part, project_id)

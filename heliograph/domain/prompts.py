"""Prompts: their versions, their labels, and what one may include of another."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.not_found import PromptNotFound

LATEST, PRODUCTION = "latest", "production"
MAX_DEPTH = 5
_LABEL = re.compile(r"[a-z0-9_\-.]{1,36}\Z")
_RESERVED_NAMES = frozenset({"new", "metrics", "prompt-detail"})
_MAX_NAME = 255
_VARIABLE = re.compile(r"{{\s*([A-Za-z_][\w.\-]*)\s*}}")
_REFERENCE = re.compile(r"@@@langfusePrompt:(.*?)@@@", re.DOTALL)
_MARKUP = re.compile(r"<[^>]*>")

# A text, or the messages and placeholders of a chat.
Body = str | list[dict[str, Any]]


class PromptType(StrEnum):
    """What a prompt is made of; every version of a name is of one type."""

    TEXT = "text"
    CHAT = "chat"


class Choice(NamedTuple):
    """The version of a prompt that is asked for: by number, or by the label that it carries."""

    version: int = 0
    label: str = ""

    @property
    def in_words(self) -> str:
        """As the contract's message for a missing prompt says it."""
        return f"version {self.version}" if self.version else f"label '{self.label}'"


class Reference(NamedTuple):
    """A place in a prompt where the text of another is put."""

    name: str
    choice: Choice


@dataclass(frozen=True, kw_only=True)
class NewPrompt:
    """A version that is to be created; `tags` replace those of the whole prompt, None keeps them."""

    name: str
    type: PromptType
    body: Body
    labels: tuple[str, ...] = ()
    config: Any = field(default_factory=dict)
    tags: tuple[str, ...] | None = None
    commit_message: str | None = None
    created_by: str = "API"


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One version of a prompt."""

    id: str
    project_id: str
    name: str
    version: int
    type: PromptType
    body: Body
    config: Any
    labels: tuple[str, ...]
    tags: tuple[str, ...]
    commit_message: str | None
    created_by: str
    created_at: datetime
    updated_at: datetime

    @property
    def is_active(self) -> bool:
        """Whether it is the one that is served when nothing is asked for."""
        return PRODUCTION in self.labels


@dataclass(frozen=True, kw_only=True)
class PromptSummary:
    """All versions of a prompt, or those that a list's filters leave."""

    name: str
    type: PromptType
    versions: tuple[int, ...]
    labels: tuple[str, ...]
    tags: tuple[str, ...]
    last_updated_at: datetime
    last_config: Any


@dataclass(frozen=True, kw_only=True)
class Composition:
    """A prompt whose references are replaced, and which prompts its text came from: the parent's id to its children."""

    prompt: Prompt
    children: Mapping[str, tuple[Prompt, ...]] = field(default_factory=dict)


def check(new: NewPrompt) -> None:
    """Raise InvalidRequest unless the version may be created."""
    check_name(new.name)
    for label in new.labels:
        check_label(label)
    clashes = sorted(variables(new.body) & placeholders(new.body))
    if clashes:
        raise InvalidRequest("prompt", f"{clashes[0]!r} is the name of a variable and of a placeholder")
    for reference in references(new.body):
        if reference.name == new.name:
            raise InvalidRequest("prompt", "a prompt cannot include itself")


def check_name(name: str) -> None:
    """Raise InvalidRequest unless it may be a prompt's name; slashes make folders."""
    if not name.strip() or len(name) > _MAX_NAME:
        raise InvalidRequest("name", f"has 1 to {_MAX_NAME} characters")
    if "|" in name or _MARKUP.search(name):
        raise InvalidRequest("name", "contains neither | nor markup")
    if name.startswith("/") or name.endswith("/") or "//" in name:
        raise InvalidRequest("name", "slashes stand between the names of folders: none first, last or twice")
    if name in _RESERVED_NAMES:
        raise InvalidRequest("name", f"{name!r} is reserved")


def check_label(label: str) -> None:
    """Raise InvalidRequest unless it may be a label."""
    if not _LABEL.match(label):
        raise InvalidRequest("labels", f"{label!r}: 1 to 36 of a-z, 0-9, underscore, hyphen and dot")


def variables(body: Body) -> frozenset[str]:
    """The names in double braces."""
    return frozenset(name for text in _texts(body) for name in _VARIABLE.findall(text))


def placeholders(body: Body) -> frozenset[str]:
    """The names of the places for whole messages."""
    if isinstance(body, str):
        return frozenset()
    return frozenset(str(part["name"]) for part in body if part.get("type") == "placeholder")


def references(body: Body) -> tuple[Reference, ...]:
    """The other prompts that it includes, each once; raises InvalidRequest for one that cannot be read."""
    found = (_reference(inner) for text in _texts(body) for inner in _REFERENCE.findall(text))
    return tuple(dict.fromkeys(found))


def composed(body: Body, texts: Mapping[Reference, str]) -> Body:
    """The body with the text of each reference in its place."""

    def filled(text: str) -> str:
        return _REFERENCE.sub(lambda match: texts[_reference(match[1])], text)

    if isinstance(body, str):
        return filled(body)
    return [
        {**part, "content": filled(part["content"])} if isinstance(part.get("content"), str) else part for part in body
    ]


def compiled(body: Body, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The messages for a model: a text is what the user says, a variable without a value stays as it stands.

    Args:
        body: of a prompt.
        values: of its variables texts or JSON values, of its placeholders lists of messages.
    """

    def filled(text: str) -> str:
        return _VARIABLE.sub(lambda match: _text(values[match[1]]) if match[1] in values else match[0], text)

    if isinstance(body, str):
        return [{"role": "user", "content": filled(body)}]
    messages: list[dict[str, Any]] = []
    for part in body:
        if part.get("type") == "placeholder":
            given = values.get(str(part.get("name")))
            messages += given if isinstance(given, list) else []
        else:
            content = part.get("content")
            messages.append({**part, "content": filled(content)} if isinstance(content, str) else dict(part))
    return messages


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def included_text(prompt: Prompt | None, reference: Reference) -> str:
    """What is put in a reference's place; raises InvalidRequest, or PromptNotFound."""
    if prompt is None:
        raise PromptNotFound(reference.name, reference.choice.in_words)
    if not isinstance(prompt.body, str):
        raise InvalidRequest("prompt", f"{reference.name!r} is a chat prompt: only text prompts can be included")
    return prompt.body


def _reference(inner: str) -> Reference:
    parts = dict(part.split("=", 1) for part in inner.split("|") if "=" in part)
    name, version, label = parts.get("name", ""), parts.get("version", ""), parts.get("label", "")
    if not name or bool(version) == bool(label) or (version and not version.isdecimal()):
        raise InvalidRequest("prompt", f"@@@langfusePrompt:{inner}@@@ names no prompt: write name=X|label=L")
    return Reference(name, Choice(int(version or 0), label))


def _texts(body: Body) -> Iterable[str]:
    if isinstance(body, str):
        return (body,)
    return (part["content"] for part in body if isinstance(part.get("content"), str))

"""The forms with which a prompt is changed: a next version, and the labels of one."""

import json
from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.components.diffs import text_of
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.prompts import LATEST, Body, NewPrompt, Prompt, PromptType

_WIDE = {"sizing_mode": "stretch_width", "margin": (0, 0, 14, 0)}


class PromptForm:
    """The next version of a prompt; of a prompt that does not exist yet its name and type as well.

    Args:
        before: the version that the next one starts from; None for the first of a new prompt.
        author: who is noted as its author.
    """

    def __init__(self, before: Prompt | None, author: str) -> None:
        self._before = before
        self._author = author
        self.name = pmui.TextInput(label="Name", placeholder="folder/name", **_WIDE)
        self.type = pmui.Select(label="Type", options=[str(kind) for kind in PromptType], value="text", **_WIDE)
        text = text_of(before.body) if before else ""
        # As the browser gives it, not shortened.
        self.body = pmui.TextAreaInput(label="Prompt", value=text, rows=14, max_length=400_000, **_WIDE)
        config = json.dumps(before.config, indent=2, ensure_ascii=False) if before and before.config else "{}"
        self.config = pmui.TextAreaInput(
            label="Configuration (JSON)", value=config, rows=3, max_length=100_000, **_WIDE
        )
        self.message = pmui.TextInput(label="What changed", **_WIDE)
        self.labels = pmui.TextInput(label="Labels, separated by commas", **_WIDE)
        self.save = pmui.Button(label="Save as next version", color="primary", variant="contained", margin=0)

    def view(self) -> pn.Column:
        """The form."""
        naming = [] if self._before else [self.name, self.type]
        parts = [*naming, self.body, self.config, self.message, self.labels, self.save]
        return pn.Column(*parts, sizing_mode="stretch_width", margin=(16, 0, 0, 0), max_width=900)

    def new(self) -> NewPrompt:
        """What was filled in; raises InvalidRequest."""
        kind = self._before.type if self._before else PromptType(self.type.value)
        return NewPrompt(
            name=self._before.name if self._before else self.name.value_input.strip(),
            type=kind,
            body=_body(self.body.value_input, kind),
            config=_json(self.config.value_input, "config"),
            labels=labels_of(self.labels.value_input),
            commit_message=self.message.value_input.strip() or None,
            created_by=self._author,
        )


def labels_of(text: str) -> tuple[str, ...]:
    """The labels of a text with commas; `latest` moves by itself and is left out."""
    return tuple(dict.fromkeys(label for part in text.split(",") if (label := part.strip()) and label != LATEST))


def _body(text: str, kind: PromptType) -> Body:
    if kind is PromptType.TEXT:
        if not text:
            raise InvalidRequest("prompt", "is empty")
        return text
    messages = _json(text, "prompt")
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        raise InvalidRequest("prompt", 'is a list of messages: [{"role": "user", "content": "…"}]')
    return messages


def _is_message(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    if part.get("type") == "placeholder":
        return isinstance(part.get("name"), str)
    return isinstance(part.get("role"), str) and isinstance(part.get("content"), str)


def _json(text: str, field: str) -> Any:
    try:
        return json.loads(text or "{}")
    except ValueError as error:
        raise InvalidRequest(field, f"is no JSON: {error}") from error

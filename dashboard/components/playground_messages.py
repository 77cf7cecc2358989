"""The editor of a conversation: messages with roles, in an order that can be changed."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui

ROLES = ["system", "user", "assistant", "tool", "placeholder"]
_ICON = {"variant": "text", "size": "small", "margin": (4, 0, 0, 2), "width": 34}
Message = dict[str, Any]


class MessageEditor:
    """The messages; `changed` is called whenever one of them may have changed.

    Placeholders stand for whole messages that come from a variable of their name.
    """

    def __init__(self, messages: Sequence[Message], changed: Callable[[], None]) -> None:
        self._changed = changed
        self._rows: list[_Row] = []
        self._list = pn.Column(sizing_mode="stretch_width", margin=0)
        self._add = pmui.Button(label="Add message", icon="add", variant="text", size="small", margin=(0, 0, 8, 0))
        self._add.on_click(lambda *_: self._append({"role": "user", "content": ""}))
        for message in messages:
            self._append(message)

    def view(self) -> pn.Column:
        """The editor."""
        return pn.Column(self._list, self._add, sizing_mode="stretch_width", margin=0)

    def messages(self) -> list[Message]:
        """The messages as a prompt's body has them; empty ones are left out."""
        return [message for row in self._rows if (message := row.message()) is not None]

    def _append(self, message: Message) -> None:
        row = _Row(message, self._changed, self._remove)
        self._rows.append(row)
        self._show()

    def _remove(self, row: "_Row") -> None:
        self._rows.remove(row)
        self._show()

    def _show(self) -> None:
        self._list[:] = [row.view for row in self._rows]
        self._changed()


class _Row:
    def __init__(self, message: Message, changed: Callable[[], None], remove: Callable[["_Row"], None]) -> None:
        # What a role needs beside its text, like the calls of tools, is kept.
        self._rest = {key: value for key, value in message.items() if key not in {"role", "content", "type", "name"}}
        is_placeholder = message.get("type") == "placeholder"
        role = "placeholder" if is_placeholder else str(message.get("role", "user"))
        self._content = message.get("content")
        text = str(message.get("name", "")) if is_placeholder else _text(self._content)
        roles = ROLES if role in ROLES else [*ROLES, role]
        self._role = pmui.Select(label="Role", options=roles, value=role, width=140, size="small", margin=0)
        self._text = pmui.TextAreaInput(
            label="Content", value=text, auto_grow=True, rows=2, max_rows=16, max_length=400_000,
            sizing_mode="stretch_width", margin=(6, 0, 12, 0),
        )  # fmt: skip
        self._shown = text
        away = pmui.IconButton(icon="delete", description="Remove this message", **_ICON)
        away.on_click(lambda *_: remove(self))
        head = pn.Row(self._role, pn.Spacer(sizing_mode="stretch_width"), away, sizing_mode="stretch_width", margin=0)
        self.view = pn.Column(head, self._text, sizing_mode="stretch_width", margin=0)
        self._text.param.watch(lambda *_: changed(), "value_input")
        self._role.param.watch(lambda *_: changed(), "value")

    def message(self) -> Message | None:
        text, role = self._text.value_input, self._role.value
        if role == "placeholder":
            return {"type": "placeholder", "name": text.strip()} if text.strip() else None
        if not text and not self._rest:
            return None
        # Parts that are no text, such as images, stay as they were unless they were edited.
        content = self._content if text == self._shown and self._content is not None else text
        return {"role": role, "content": content, **self._rest}


def _text(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return json.dumps(content, indent=2, ensure_ascii=False)

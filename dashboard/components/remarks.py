"""The comments on something, and the form for one more."""

from collections.abc import Awaitable, Callable, Sequence

import panel as pn
import panel_material_ui as pmui

from dashboard.components import details, panes
from dashboard.queries.traces import Remark


class RemarkForm:
    """Shows comments; `write` is called with the text of a new one."""

    def __init__(self, write: Callable[[str], Awaitable[None]]) -> None:
        self._write = write
        self._list = panes.html()
        self._said = panes.html()
        self._text = pmui.TextAreaInput(
            label="Comment", placeholder="Markdown is understood", rows=3, max_length=5000, sizing_mode="stretch_width",
            margin=(8, 0, 10, 0),
        )  # fmt: skip
        self._send = pmui.Button(label="Comment", color="primary", variant="contained", size="small", margin=0)
        self._send.on_click(self._on_send)
        self._form = pn.Column(self._text, self._send, self._said, sizing_mode="stretch_width", margin=0, visible=False)

    def view(self) -> pn.Column:
        """The comments, and the form below them."""
        return pn.Column(self._list, self._form, sizing_mode="stretch_width", margin=0)

    def may_write(self, allowed: bool) -> None:  # noqa: FBT001 - it is the only thing said
        """Show the form or not; whoever writes is asked again by the server."""
        self._form.visible = allowed

    def show(self, remarks: Sequence[Remark]) -> None:
        """Show the comments, and an empty form."""
        self._list.object = str(details.remarks_content(remarks))
        self._text.param.update(value="", value_input="")
        self._said.object = ""

    def refuse(self, reason: str) -> None:
        """Say why the comment was not kept; its text stays."""
        self._said.object = str(panes.refusal(reason))

    async def _on_send(self, *_: object) -> None:
        await self._write(self._text.value_input)

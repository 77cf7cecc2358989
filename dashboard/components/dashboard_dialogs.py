"""What is asked before a dashboard is renamed or deleted."""

from collections.abc import Awaitable, Callable

import panel as pn
import panel_material_ui as pmui

from heliograph.domain.dashboards import Dashboard
from heliograph.domain.widgets import MAX_DESCRIPTION, MAX_NAME


def renaming(opener: pmui.Button, dashboard: Dashboard, rename: Callable[[str, str], Awaitable[None]]) -> pmui.Dialog:
    """The dialog of a new name and description, opened by a button."""
    name = pmui.TextInput(
        label="Name", value=dashboard.name, max_length=MAX_NAME, sizing_mode="stretch_width", margin=(8, 0, 14, 0)
    )
    words = pmui.TextInput(
        label="Description", value=dashboard.description, max_length=MAX_DESCRIPTION, sizing_mode="stretch_width",
        margin=(0, 0, 14, 0),
    )  # fmt: skip
    go = pmui.Button(label="Rename", color="primary", variant="contained", margin=0)
    dialog = _dialog("Rename this dashboard", opener, go, name, words)

    async def apply(*_: object) -> None:
        dialog.open = False
        await rename(name.value_input or name.value, words.value_input)

    go.on_click(apply)
    return dialog


def deletion(opener: pmui.Button, dashboard: Dashboard, delete: Callable[[], Awaitable[None]]) -> pmui.Dialog:
    """The dialog that asks whether a dashboard is to go, opened by a button."""
    text = pmui.Typography(
        f"Its {len(dashboard.placements)} widgets go with it. There is no way back.", margin=(4, 0, 16, 0)
    )
    go = pmui.Button(label="Delete it", color="error", variant="contained", margin=0)
    dialog = _dialog(f"Delete {dashboard.name}?", opener, go, text)

    async def apply(*_: object) -> None:
        dialog.open = False
        await delete()

    go.on_click(apply)
    return dialog


def _dialog(title: str, opener: pmui.Button, go: pmui.Button, *parts: pn.viewable.Viewable) -> pmui.Dialog:
    stay = pmui.Button(label="Cancel", variant="outlined", margin=(0, 0, 0, 12))
    dialog = pmui.Dialog(*parts, pn.Row(go, stay, margin=0), title=title, width_option="sm", close_on_click=True)
    opener.on_click(lambda _: setattr(dialog, "open", True))
    stay.on_click(lambda _: setattr(dialog, "open", False))
    return dialog

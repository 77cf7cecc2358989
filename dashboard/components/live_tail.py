"""Lets a table follow what arrives, until it is paused."""

from collections.abc import Awaitable, Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.state import TraceList

PERIOD_MILLISECONDS = 3_000


class LiveTail:
    """A switch that has the newest rows shown every few seconds; it is in the address.

    Args:
        wanted: the state of the table; only its first page, the newest first, follows what arrives.
        load: shows the table anew.
        is_held: whether the rows must stay, since somebody works with them.
    """

    def __init__(self, wanted: TraceList, load: Callable[[], Awaitable[None]], is_held: Callable[[], bool]) -> None:
        self._wanted, self._load, self._is_held = wanted, load, is_held
        self._is_loading = False
        self._beat: Any = None
        self.switch = pmui.Switch(label="Live", value=wanted.live == "on", margin=(0, 4))
        self.switch.param.watch(self._turn, "value")
        wanted.param.watch(self._obey, "live")

    def start(self) -> None:
        """Begin to follow, if that is wanted."""
        if self._wanted.live == "on" and self._beat is None:
            self._beat = pn.state.add_periodic_callback(self._follow, period=PERIOD_MILLISECONDS)

    def _turn(self, *_: object) -> None:
        # What arrives is at the top of the newest.
        top = {"sort": "timestamp", "order": "desc", "page": 1} if self.switch.value else {}
        self._wanted.param.update(live="on" if self.switch.value else "", **top)

    def _obey(self, *_: object) -> None:
        self.switch.value = self._wanted.live == "on"
        if self.switch.value:
            self.start()
        elif self._beat is not None:
            self._beat.stop()
            self._beat = None

    async def _follow(self) -> None:
        is_newest = (self._wanted.sort, self._wanted.order, self._wanted.page) == ("timestamp", "desc", 1)
        # A slow answer is waited for: questions do not pile up.
        if self._is_loading or self._is_held() or not is_newest:
            return
        self._is_loading = True
        try:
            await self._load()
        finally:
            self._is_loading = False

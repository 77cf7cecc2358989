"""The strip above the table of traces: each as a point over time, of which a stretch can be selected."""

from datetime import UTC, datetime

import panel as pn
import panel_material_ui as pmui
import pyarrow as pa
from markupsafe import Markup

from dashboard.components import panes
from dashboard.components.collecting import BUTTON
from dashboard.plots.pulse import HEIGHT, pulse
from dashboard.shell import FIELD, PageContext, Shell
from dashboard.state import TraceList

MEASURES = {"Latency": "latency_ms", "Cost": "cost", "No strip": "off"}


class PulseStrip:
    """Draws the traces that match; what is selected, and what is drawn upwards, is in `wanted`."""

    def __init__(self, context: PageContext, shell: Shell, wanted: TraceList) -> None:
        self._context, self._shell, self._wanted = context, shell, wanted
        self._points: pa.Table | None = None
        self.measure = pmui.Select.from_param(
            wanted.param.pulse, label="Strip", options=MEASURES, width=120, size="small", margin=0, sx=FIELD
        )
        self._told = panes.html()
        self._clear = pmui.Button(label="Show the whole period", icon="zoom_out_map", **BUTTON)
        self._selection = pn.Row(self._clear, self._told, margin=(4, 0, 0, 0), styles={"gap": "12px"}, visible=False)
        # Its place is kept, so that nothing moves when the strip has come.
        self._view = pn.Column(sizing_mode="stretch_width", margin=(14, 0, 0, 0), min_height=HEIGHT + 28)
        self._view.visible = wanted.pulse != "off"
        self._clear.on_click(lambda _: wanted.param.update(after="", before=""))
        wanted.param.watch(self._change, "pulse")
        shell.bar.param.watch(self._draw, "is_dark")

    def view(self) -> pn.Column:
        """The strip, and how to leave what is selected."""
        return self._view

    async def load(self) -> None:
        """Draw what matches now."""
        if self._wanted.pulse == "off":
            self._view.visible = False
            return
        self._points = await self._context.queries.traces.pulse(self._shell.scope, self._wanted)
        self._draw()

    async def _change(self, *_: object) -> None:
        await self._shell.guarded(self.load)()

    def _draw(self, *_: object) -> None:
        wanted = self._wanted
        if self._points is None or wanted.pulse == "off":
            return
        period = self._shell.scope.period()
        drawn = pulse(
            self._points, wanted.pulse, (period.after, period.before),
            selected=self._select, is_dark=self._shell.is_dark,
        )  # fmt: skip
        self._selection.visible = bool(wanted.after and wanted.before)
        text = Markup('<p class="quiet" role="status">Only {} to {} UTC.</p>')
        self._told.object = str(text.format(*(each[:19].replace("T", " ") for each in (wanted.after, wanted.before))))
        self._view.visible = self._points.num_rows > 0
        # A surface of its own each time: Bokeh cannot lay out a plot that comes into one that the browser has already.
        self._view[:] = [panes.paper(pn.pane.Bokeh(drawn, sizing_mode="stretch_width", margin=0)), self._selection]

    def _select(self, after: datetime, before: datetime) -> None:
        if before > after:
            first, last = (each.astimezone(UTC).isoformat(timespec="milliseconds") for each in (after, before))
            self._wanted.param.update(after=first, before=last)

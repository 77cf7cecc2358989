"""Plots of latency; a notebook can call them: `from dashboard.plots.latency import latency`."""

from bokeh.models import ColumnDataSource, CustomJSTickFormatter
from bokeh.plotting import figure

from dashboard.components import formats
from dashboard.components.palette import SERIES
from dashboard.plots.frames import Frame, frame_of, hover, legend, timeline

PERCENTILES = ("p50", "p90", "p95", "p99")


def latency(table: Frame, *, is_dark: bool = False) -> figure:
    """Percentiles of latency over time, p50 to p95 as a band; columns `time` (UTC), `p50` to `p99` (milliseconds)."""
    frame = frame_of(table)
    plot = timeline(is_dark=is_dark)
    present = [name for name in PERCENTILES if name in frame]
    for name in present:
        frame[f"{name}_text"] = [formats.duration(value) for value in frame[name]]
    source = ColumnDataSource(frame)
    if {"p50", "p95"} <= set(present):
        plot.varea("time", "p50", "p95", source=source, fill_color=SERIES[0], fill_alpha=0.14)
    drawn = [
        plot.line("time", name, source=source, color=colour, line_width=2, legend_label=name)
        for name, colour in zip(present, SERIES, strict=False)
    ]
    if len(frame) < 3:
        for name, colour in zip(present, SERIES, strict=False):
            plot.scatter("time", name, source=source, color=colour, size=6)
    plot.yaxis.formatter = CustomJSTickFormatter(code=formats.AXIS_DURATION)
    if drawn:
        hover(plot, drawn[0], [(name, f"@{name}_text") for name in present], mode="vline")
    legend(plot, is_dark=is_dark)
    return plot

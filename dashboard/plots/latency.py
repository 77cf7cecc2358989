"""Plots of latency; a notebook can call them: `from dashboard.plots.latency import latency`."""

import pandas as pd
from bokeh.models import ColumnDataSource, CustomJSTickFormatter, FixedTicker
from bokeh.plotting import figure

from dashboard.components import formats
from dashboard.components.palette import SERIES
from dashboard.plots.frames import Frame, frame_of, hover, legend, step_of, timeline

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


def latency_heat_map(table: Frame, *, is_dark: bool = False) -> figure:
    """How many traces took how long over time, the more the stronger: two modes show that percentiles hide.

    Args:
        table: columns `time` (UTC), `low` and `high` (of a band, in milliseconds), `traces`.
        is_dark: for a dark page.
    """
    frame = frame_of(table)
    plot = timeline(is_dark=is_dark, y_axis_type="log")
    step = step_of(frame)
    most = frame["traces"].max() if len(frame) else 1.0
    frame["until"] = frame["time"] + pd.Timedelta(milliseconds=step)
    # By the root, so that few traces are seen beside many.
    frame["strength"] = 0.12 + 0.88 * (frame["traces"] / most) ** 0.5
    frame["band"] = [
        f"{formats.duration(low)} – {formats.duration(high)}"
        for low, high in zip(frame["low"], frame["high"], strict=True)
    ]
    cells = plot.quad(
        left="time", right="until", bottom="low", top="high", fill_alpha="strength", fill_color=SERIES[0],
        line_color=None, source=ColumnDataSource(frame),
    )  # fmt: skip
    if len(frame):
        plot.y_range.start, plot.y_range.end = frame["low"].min(), frame["high"].max()
        plot.yaxis.ticker = FixedTicker(ticks=[10.0**power for power in range(8)])
    plot.yaxis.formatter = CustomJSTickFormatter(code=formats.AXIS_DURATION)
    hover(plot, cells, [("latency", "@band"), ("traces", "@traces{0,0}")], mode="mouse")
    return plot

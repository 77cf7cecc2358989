"""Plots of traffic and of errors; a notebook can call them: `from dashboard.plots.traffic import traffic`."""

from bokeh.models import ColumnDataSource, NumeralTickFormatter
from bokeh.plotting import figure

from dashboard.components import formats
from dashboard.components.palette import ERROR
from dashboard.plots.frames import Frame, frame_of, hover, lines, step_of, timeline


def traffic(table: Frame, *, is_dark: bool = False) -> figure:
    """Traces and observations over time; columns `time` (UTC), `traces`, `observations`."""
    return lines(frame_of(table), ["observations", "traces"], "0,0", is_dark=is_dark)


def errors(table: Frame, *, is_dark: bool = False) -> figure:
    """Observations that failed, over time; columns `time` (UTC), `errors`, `observations`."""
    frame = frame_of(table)
    plot = timeline(is_dark=is_dark)
    if not frame.empty and not frame["errors"].any():
        # Without this the axis of a period without errors shows fractions of one.
        plot.y_range.end = 4
    source = ColumnDataSource(frame)
    bars = plot.vbar(x="time", top="errors", width=step_of(frame) * 0.8, source=source, color=ERROR, line_width=0)
    plot.yaxis.formatter = NumeralTickFormatter(format=formats.AXIS_COUNT)
    hover(plot, bars, [("errors", "@errors{0,0}"), ("observations", "@observations{0,0}")], mode="vline")
    return plot

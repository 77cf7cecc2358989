"""Plots of scores; a notebook can call them: `from dashboard.plots.scores import score_trend`."""

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool, NumeralTickFormatter, Span
from bokeh.plotting import figure

from dashboard.components import formats
from dashboard.components.palette import DARK, LIGHT, SERIES
from dashboard.plots.frames import Frame, blank, fit_intervals, frame_of, hover, legend, ribbon, short, timeline, tip
from dashboard.plots.ranking import ranking

# The normal distribution's two-sided 95% quantile.
_Z95 = 1.96


def score_trend(table: Frame, versions: Frame | None = None, *, is_dark: bool = False, most: int = 4) -> figure:
    """Means over time with their 95% intervals, and a rule where an evaluator's version was first seen.

    Args:
        table: columns `time` (UTC), `name`, `n`, `mean`, `deviation` (standard deviation of the sample).
        versions: column `time` (UTC), or None.
        is_dark: for a dark page.
        most: how many names are drawn, the most frequent ones.
    """
    frame = frame_of(table)
    half = _Z95 * frame["deviation"] / np.sqrt(frame["n"])
    frame = frame.assign(low=frame["mean"] - half, high=frame["mean"] + half)
    names = frame.groupby("name")["n"].sum().sort_values(ascending=False).index[:most]
    plot = timeline(is_dark=is_dark)
    fit_intervals(plot, frame[frame["name"].isin(names)])
    for name, colour in zip(names, SERIES, strict=False):
        source = ribbon(plot, frame[frame["name"] == name].sort_values("time"), colour)
        label = short(str(name))
        plot.line("time", "mean", source=source, color=colour, line_width=2, legend_label=label)
        points = plot.scatter("time", "mean", source=source, color=colour, size=5, legend_label=label)
        rows = [(tip(str(name)), "@mean{0.000}"), ("95% interval", "@low{0.000} – @high{0.000}"), ("n", "@n{0,0}")]
        hover(plot, points, rows, mode="mouse")
    for at in [] if versions is None else frame_of(versions)["time"].drop_duplicates():
        colour = (DARK if is_dark else LIGHT).muted
        plot.add_layout(Span(location=at, dimension="height", line_color=colour, line_dash="dashed"))
    plot.yaxis.formatter = NumeralTickFormatter(format="0.[00]")
    legend(plot, is_dark=is_dark)
    return plot


def score_histogram(table: Frame, *, is_dark: bool = False) -> figure:
    """How numeric scores are distributed; columns `start` and `end` (of a bin), `n`."""
    frame = frame_of(table)
    plot = blank(is_dark=is_dark)
    plot.y_range.start = 0
    bars = plot.quad(
        left="start", right="end", bottom=0, top="n", source=ColumnDataSource(frame), fill_color=SERIES[0],
        line_color=(DARK if is_dark else LIGHT).line,
    )  # fmt: skip
    plot.xgrid.grid_line_color = None
    plot.yaxis.formatter = NumeralTickFormatter(format=formats.AXIS_COUNT)
    plot.xaxis.formatter = NumeralTickFormatter(format="0.[000]")
    plot.add_tools(
        HoverTool(renderers=[bars], tooltips=[("from", "@start{0.000}"), ("to", "@end{0.000}"), ("n", "@n")])
    )
    return plot


def score_labels(table: Frame, *, is_dark: bool = False, most: int = 10) -> figure:
    """How often each category was given, the most frequent on top; columns `label`, `n`."""
    frame = frame_of(table).sort_values("n", ascending=False).head(most)
    labels, counts = [str(label) for label in frame["label"]], frame["n"].tolist()
    tips = [("n", list(map(formats.count, counts)))]
    return ranking(labels, counts, tips, axis=NumeralTickFormatter(format=formats.AXIS_COUNT), is_dark=is_dark)

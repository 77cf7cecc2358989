"""Plots of what many scores say together; a notebook can call them with the answers of `project.scores.analytics`."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from bokeh.models import ColumnDataSource, HoverTool, LinearColorMapper, NumeralTickFormatter, Span
from bokeh.plotting import figure

from dashboard.components import formats
from dashboard.components.palette import DARK, LIGHT, SERIES
from dashboard.plots.frames import HEIGHT, NONE, blank, fit_intervals, hover, legend, ribbon, short, timeline, tip
from heliograph.domain.score_analytics import Distribution, LabelAgreement, Trend, TrendPoint
from heliograph.domain.statistics import Estimate

_VERSION_DIGITS = 8


def version_name(version: str) -> str:
    """A version of an evaluator, shortened; scores of people and of applications have none."""
    return version[:_VERSION_DIGITS] or NONE


def trend_by_version(trend: Trend, *, is_dark: bool = False) -> figure:
    """Means over time with their 95% intervals, a line for each version, and a rule where a version was first seen."""
    points = pd.DataFrame(map(_interval, trend.points), columns=["time", "version", "mean", "low", "high", "n"])
    plot = timeline(is_dark=is_dark)
    fit_intervals(plot, points)
    versions = list(dict.fromkeys(points["version"]))
    for version, colour in zip(versions, SERIES, strict=False):
        own, label = points[points["version"] == version], short(version_name(str(version)))
        source = ribbon(plot, own, colour)
        plot.line("time", "mean", source=source, color=colour, line_width=2, legend_label=label)
        marks = plot.scatter("time", "mean", source=source, color=colour, size=5, legend_label=label)
        rows = [(tip(label), "@mean{0.000}"), ("95% interval", "@low{0.000} – @high{0.000}"), ("n", "@n{0,0}")]
        hover(plot, marks, rows, mode="mouse")
        if len(versions) > 1:
            line = (DARK if is_dark else LIGHT).muted
            plot.add_layout(Span(location=own["time"].min(), dimension="height", line_color=line, line_dash="dashed"))
    plot.yaxis.formatter = NumeralTickFormatter(format="0.[00]")
    legend(plot, is_dark=is_dark)
    return plot


def _interval(point: TrendPoint) -> dict[str, Any]:
    mean = point.mean
    low, high = (mean.low, mean.high) if mean.has_interval else (mean.value, mean.value)
    return {
        "time": point.time.replace(tzinfo=None), "version": point.version, "mean": mean.value, "low": low,
        "high": high, "n": mean.counts.n,
    }  # fmt: skip


def distribution_by_version(distribution: Distribution, *, is_dark: bool = False) -> figure:
    """The share of each value in a version: steps over the bins of numbers, bars side by side of labels."""
    if distribution.bins:
        return _steps(distribution, is_dark=is_dark)
    return _bars({one.version: one.labels for one in distribution.versions if one.labels}, is_dark=is_dark)


def confusion(labels: LabelAgreement, *, truth: str, judged: str, is_dark: bool = False) -> figure:
    """How often two raters' labels met: a row for each label of the first, coloured by its share of the row.

    Args:
        labels: an answer of `project.scores.analytics.agreement`.
        truth: what the first rater is called.
        judged: what the second is called.
        is_dark: for a dark page.
    """
    look = DARK if is_dark else LIGHT
    names = [short(name, 18) for name in labels.categories]
    places = range(len(names))
    cells = [
        {
            "x": column, "y": row, "n": labels.cells[row][column], "text": formats.compact(labels.cells[row][column]),
            "share": labels.cells[row][column] / total if (total := sum(labels.cells[row])) else 0.0,
            "first": labels.categories[row], "second": labels.categories[column],
        }
        for row in places
        for column in places
    ]  # fmt: skip
    edge = len(names) - 0.5
    plot = blank(
        is_dark=is_dark, height=max(HEIGHT, 60 + 34 * min(len(names), 16)), x_range=(-0.5, edge), y_range=(edge, -0.5)
    )
    source = ColumnDataSource(pd.DataFrame(cells))
    shades = ["#16202e", "#1c3f66", "#265f9a", "#3b82c4"] if is_dark else ["#f3f7fb", "#cfe0f0", "#9fc3e3", "#6ba2d3"]
    fill = {"field": "share", "transform": LinearColorMapper(palette=shades, low=0, high=1)}
    squares = plot.rect("x", "y", width=0.96, height=0.94, source=source, fill_color=fill, line_width=0)
    if len(names) <= 12:
        plot.text(
            "x", "y", "text", source=source, text_align="center", text_baseline="middle", text_color=look.text,
            text_font_size="12px",
        )  # fmt: skip
    for axis, title in ((plot.xaxis, judged), (plot.yaxis, truth)):
        axis.ticker = list(places)
        axis.major_label_overrides = dict(enumerate(names))
        axis.axis_label, axis.axis_label_text_color = short(title), look.muted
        axis.axis_label_text_font_size, axis.axis_label_text_font_style = "11px", "normal"
    plot.grid.grid_line_color = None
    tips = [(tip(truth), "@first"), (tip(judged), "@second"), ("n", "@n{0,0}"), ("of the row", "@share{0%}")]
    plot.add_tools(HoverTool(renderers=[squares], tooltips=tips))
    return plot


def estimates(found: Mapping[str, Estimate], *, is_dark: bool = False, format_: str = "0.[00]") -> figure:
    """Figures with their intervals, the first on top."""
    known = {name: one for name, one in found.items() if one.value == one.value}
    places = list(range(len(known), 0, -1))
    plot = blank(is_dark=is_dark, height=90 + 34 * max(1, len(known)), y_range=(0.3, len(known) + 0.7))
    frame = pd.DataFrame(
        [
            {
                "place": place, "name": name, "value": one.value, "n": one.counts.n,
                "low": one.low if one.has_interval else one.value, "high": one.high if one.has_interval else one.value,
            }
            for place, (name, one) in zip(places, known.items(), strict=True)
        ],
        columns=["place", "name", "value", "n", "low", "high"],
    )  # fmt: skip
    source, colour = ColumnDataSource(frame), SERIES[0]
    # Segments, unlike annotations, are within the range that the plot chooses.
    plot.segment(x0="low", y0="place", x1="high", y1="place", source=source, color=colour, line_width=2)
    dots = plot.scatter("value", "place", source=source, color=colour, size=9)
    plot.yaxis.ticker = places
    plot.yaxis.major_label_overrides = dict(zip(places, (short(name, 26) for name in known), strict=True))
    plot.ygrid.grid_line_color = None
    plot.xaxis.formatter = NumeralTickFormatter(format=format_)
    rows = [("", "@name"), ("", "@value{0.000}"), ("95% interval", "@low{0.000} – @high{0.000}"), ("n", "@n{0,0}")]
    plot.add_tools(HoverTool(renderers=[dots], tooltips=rows))
    return plot


def _steps(distribution: Distribution, *, is_dark: bool) -> figure:
    plot = blank(is_dark=is_dark)
    plot.y_range.start = 0
    versions = list(dict.fromkeys(one.version for one in distribution.bins))
    for version, colour in zip(versions, SERIES, strict=False):
        own = [one for one in distribution.bins if one.version == version]
        total = sum(one.n for one in own)
        frame = pd.DataFrame(
            {
                "start": [one.start for one in own], "end": [one.end for one in own], "n": [one.n for one in own],
                "share": [one.n / total for one in own],
            }
        )  # fmt: skip
        label = short(version_name(version))
        bars = plot.quad(
            left="start", right="end", bottom=0, top="share", source=ColumnDataSource(frame), fill_color=colour,
            fill_alpha=0.35, line_color=colour, legend_label=label,
        )  # fmt: skip
        rows = [(tip(label), "@share{0.0%}"), ("from", "@start{0.000}"), ("to", "@end{0.000}"), ("n", "@n{0,0}")]
        plot.add_tools(HoverTool(renderers=[bars], tooltips=rows))
    plot.xgrid.grid_line_color = None
    plot.yaxis.formatter = NumeralTickFormatter(format="0%")
    plot.xaxis.formatter = NumeralTickFormatter(format="0.[000]")
    legend(plot, is_dark=is_dark)
    return plot


def _bars(by_version: Mapping[str, Mapping[str, int]], *, is_dark: bool, most: int = 8) -> figure:
    totals: dict[str, int] = {}
    for labels in by_version.values():
        for label, n in labels.items():
            totals[label] = totals.get(label, 0) + n
    names = sorted(totals, key=lambda label: -totals[label])[:most]
    plot = blank(is_dark=is_dark, x_range=(-0.6, max(1, len(names)) - 0.4))
    plot.y_range.start = 0
    width = 0.8 / max(1, len(by_version))
    for at, (version, colour) in enumerate(zip(by_version, SERIES, strict=False)):
        shares = _shares(names, by_version[version], shift=at * width - 0.4 + width / 2)
        label = short(version_name(version))
        bars = plot.vbar(
            x="x", top="share", width=width * 0.92, source=ColumnDataSource(shares), color=colour, line_width=0,
            legend_label=label,
        )  # fmt: skip
        tips = [(tip(label), "@label"), ("n", "@n{0,0}"), ("", "@share{0.0%}")]
        plot.add_tools(HoverTool(renderers=[bars], tooltips=tips))
    plot.xaxis.ticker = list(range(len(names)))
    plot.xaxis.major_label_overrides = {place: short(name, 16) for place, name in enumerate(names)}
    plot.xgrid.grid_line_color = None
    plot.yaxis.formatter = NumeralTickFormatter(format="0%")
    legend(plot, is_dark=is_dark)
    return plot


def _shares(names: Sequence[str], labels: Mapping[str, int], *, shift: float) -> pd.DataFrame:
    total = sum(labels.values())
    return pd.DataFrame(
        {
            "x": [place + shift for place in range(len(names))],
            "label": list(names),
            "n": [labels.get(name, 0) for name in names],
            "share": [labels.get(name, 0) / total for name in names],
        }
    )

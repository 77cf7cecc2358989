"""Figures by kind, as bars or as shares; a notebook can call them: `from dashboard.plots.ranking import ranking`."""

import math
from collections.abc import Sequence

from bokeh.models import ColumnDataSource, HoverTool, TickFormatter
from bokeh.plotting import figure

from dashboard.components.palette import DARK, LIGHT, SERIES
from dashboard.plots.frames import HEIGHT, OTHER, blank, legend, short

Tip = tuple[str, Sequence[object]]
_MOST_SHARES = 7


def ranking(
    names: Sequence[str],
    values: Sequence[float],
    tips: Sequence[Tip],
    *,
    axis: TickFormatter,
    is_dark: bool = False,
    height: int = HEIGHT,
) -> figure:
    """Horizontal bars, the first on top, each with its name, and in its tip what else there is to say."""  # fmt: skip
    # Bars stand at places of their own, since two shortened names may be the same.
    places = [float(len(names) - index) for index in range(len(names))]
    least, greatest = _ends(values)
    plot = blank(is_dark=is_dark, height=height, x_range=(least, greatest), y_range=(0.3, len(names) + 0.7))
    source, rows = _source(names, tips, place=places, value=list(values))
    bars = plot.hbar(y="place", right="value", height=0.66, source=source, color=SERIES[0], line_width=0)
    plot.yaxis.ticker = places
    plot.yaxis.major_label_overrides = dict(zip(map(int, places), (short(name, 18) for name in names), strict=True))
    plot.ygrid.grid_line_color = None
    plot.xaxis.ticker.desired_num_ticks = 4
    plot.xaxis.formatter = axis
    plot.add_tools(HoverTool(renderers=[bars], tooltips=[("", "@name"), *rows]))
    return plot


def columns(
    names: Sequence[str],
    values: Sequence[float],
    tips: Sequence[Tip],
    *,
    axis: TickFormatter,
    is_dark: bool = False,
    height: int = HEIGHT,
) -> figure:
    """Vertical bars, the first at the left, otherwise as in `ranking`."""  # fmt: skip
    places = [float(index + 1) for index in range(len(names))]
    least, greatest = _ends(values)
    plot = blank(is_dark=is_dark, height=height, y_range=(least, greatest), x_range=(0.3, len(names) + 0.7))
    source, rows = _source(names, tips, place=places, value=list(values))
    bars = plot.vbar(x="place", top="value", width=0.66, source=source, color=SERIES[0], line_width=0)
    plot.xaxis.ticker = places
    plot.xaxis.major_label_overrides = dict(zip(map(int, places), (short(name, 14) for name in names), strict=True))
    if len(names) > 4:
        plot.xaxis.major_label_orientation = 0.6
    plot.xgrid.grid_line_color = None
    plot.yaxis.formatter = axis
    plot.add_tools(HoverTool(renderers=[bars], tooltips=[("", "@name"), *rows]))
    return plot


def shares(
    names: Sequence[str], values: Sequence[float], texts: Sequence[str], *, is_dark: bool = False, height: int = HEIGHT
) -> figure:
    """A ring of the shares of kinds, the smaller ones as one; what is not positive has no share."""
    kept = [(name, value, text) for name, value, text in zip(names, values, texts, strict=True) if value > 0]
    total = sum(value for _, value, _ in kept)
    rest = sum(value for _, value, _ in kept[_MOST_SHARES:])
    if rest:
        kept = [*kept[:_MOST_SHARES], (OTHER, rest, "")]
    plot = blank(is_dark=is_dark, height=height, match_aspect=True)
    plot.axis.visible = False
    plot.grid.visible = False
    start, rings = math.pi / 2, []
    for place, (name, value, text) in enumerate(kept):
        end = start - 2 * math.pi * value / total
        source = ColumnDataSource(
            {"start": [end], "end": [start], "name": [name], "text": [text], "share": [f"{value / total:.1%}"]}
        )
        rings.append(
            plot.annular_wedge(
                0, 0, inner_radius=0.6, outer_radius=1, start_angle="start", end_angle="end", source=source,
                fill_color=SERIES[place % len(SERIES)], line_color=(DARK if is_dark else LIGHT).line,
                legend_label=f"{short(name, 16)} {value / total:.0%}",
            )
        )  # fmt: skip
        start = end
    plot.add_tools(HoverTool(renderers=rings, tooltips=[("", "@name"), ("", "@text"), ("share", "@share")]))
    legend(plot, is_dark=is_dark)
    return plot


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """Where the axis begins and ends: at nothing, unless there are negative values."""
    return min([0.0, *values]) * 1.05, (max([0.0, *values]) or 1.0) * 1.05


def _source(
    names: Sequence[str], tips: Sequence[Tip], **more: Sequence[object]
) -> tuple[ColumnDataSource, list[tuple[str, str]]]:
    said = {f"tip_{place}": list(values) for place, (_, values) in enumerate(tips)}
    rows = [(title, f"@tip_{place}") for place, (title, _) in enumerate(tips)]
    return ColumnDataSource({"name": list(names), **more, **said}), rows

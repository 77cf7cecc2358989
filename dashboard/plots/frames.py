"""What all plots share: tables as frames, the empty figure in the product's look, legends and tips."""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import pandas as pd
import pyarrow as pa
from bokeh.models import ColumnDataSource, DatetimeTickFormatter, HoverTool, NumeralTickFormatter, Range1d
from bokeh.plotting import figure

from dashboard.components import formats
from dashboard.components.palette import DARK, LIGHT, SERIES, Surface

Frame: TypeAlias = pa.Table | pd.DataFrame
Plot = Callable[..., figure]

HEIGHT = 230
OTHER = "other"
NONE = "none"
_FIRM_COUNT = 5
_FONT = "Roboto, system-ui, sans-serif"


def frame_of(table: Frame) -> pd.DataFrame:
    """A frame of its own, with the column `time`, if any, as the plots take it, and numbers as floats."""
    frame: pd.DataFrame = table.to_pandas() if isinstance(table, pa.Table) else table.copy()
    if "time" in frame:
        frame["time"] = pd.to_datetime(frame["time"], utc=True).dt.tz_localize(None)
    for name in frame.columns:
        # Decimals are objects, and without rows nothing tells them from texts.
        is_of_unknown_kind = frame.empty and frame[name].dtype == object
        if pd.api.types.is_numeric_dtype(frame[name]) or is_of_unknown_kind:
            frame[name] = frame[name].astype(float)
    return frame


def step_of(frame: pd.DataFrame) -> float:
    """Milliseconds between neighbouring times, an hour when there is only one."""
    gaps = frame["time"].drop_duplicates().sort_values().diff().dropna()
    return float(gaps.min().total_seconds() * 1000) if len(gaps) else 3_600_000.0


def short(name: str, most: int = 28) -> str:
    """A name that fits a legend."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def kind_text(kind: object) -> str:
    """A value by which rows are grouped, as text; an empty one is called so."""
    if kind is None or kind == "" or (isinstance(kind, float) and math.isnan(kind)):
        return NONE
    if isinstance(kind, float) and kind.is_integer():
        return str(int(kind))
    return ", ".join(map(str, kind)) or NONE if isinstance(kind, list | tuple) else str(kind)


def tip(name: str) -> str:
    """Other people's text as a label in a tip, in which an at sign would name a column."""
    return short(name).replace("@", "@@").replace("$", "$$")


def timeline(*, is_dark: bool, height: int = HEIGHT, y_axis_type: str = "linear") -> figure:
    """An empty figure whose horizontal axis is time, and whose vertical one begins at nothing if it is linear."""
    plot = blank(is_dark=is_dark, height=height, x_axis_type="datetime", y_axis_type=y_axis_type)
    plot.xgrid.grid_line_color = None
    if y_axis_type == "linear":
        plot.y_range.start = 0
    plot.xaxis.formatter = DatetimeTickFormatter(
        minutes="%H:%M", hourmin="%H:%M", hours="%H:%M", days="%b %d", months="%b %Y"
    )
    return plot


def ribbon(plot: figure, frame: pd.DataFrame, colour: str) -> ColumnDataSource:
    """Draw the intervals of a frame as a ribbon within the plot's vertical range, and give its source for more.

    Args:
        plot: one whose range `fit_intervals` has chosen.
        frame: columns `time`, `mean`, `low`, `high`.
        colour: of the ribbon.
    """
    low, high = plot.y_range.start, plot.y_range.end
    source = ColumnDataSource(
        frame.assign(drawn_low=frame["low"].clip(low, high), drawn_high=frame["high"].clip(low, high))
    )
    plot.varea("time", "drawn_low", "drawn_high", source=source, fill_color=colour, fill_alpha=0.16)
    return source


def fit_intervals(plot: figure, frame: pd.DataFrame) -> None:
    """Let the vertical axis show every mean, and the intervals of those that stand on enough values.

    That of two values may be a hundred times as wide as all means together, and would press them into a line.

    Args:
        plot: a timeline.
        frame: columns `mean`, `low`, `high`, `n`; of all lines.
    """
    if frame.empty:
        return
    firm = frame[frame["n"] >= _FIRM_COUNT]
    low = min(frame["mean"].min(), firm["low"].min() if len(firm) else math.inf)
    high = max(frame["mean"].max(), firm["high"].max() if len(firm) else -math.inf)
    # Means that are all the same have a range, too.
    room = 0.06 * (high - min(low, 0.0)) or 0.5
    plot.y_range = Range1d(low - room if low < 0 else 0.0, high + room)


def blank(*, is_dark: bool, height: int = HEIGHT, **params: object) -> figure:
    """An empty figure in the product's look."""
    look = DARK if is_dark else LIGHT
    plot = figure(
        height=height, sizing_mode="stretch_width", toolbar_location=None, tools="",
        background_fill_alpha=0, border_fill_alpha=0, outline_line_color=None, min_border_left=48, min_border_right=12,
        **params,
    )  # fmt: skip
    plot.grid.grid_line_color = look.line
    plot.yaxis.ticker.desired_num_ticks = 4
    _axis_look(plot, look)
    return plot


def lines(frame: pd.DataFrame, names: Sequence[str], number: str, *, is_dark: bool, suffix: str = "") -> figure:
    """One line a column over time, with one tip for all of them."""
    plot = timeline(is_dark=is_dark)
    source = ColumnDataSource(frame)
    for name, colour in zip(names, SERIES, strict=False):
        plot.line("time", name, source=source, color=colour, line_width=2, legend_label=name)
        if len(frame) < 3:
            plot.scatter("time", name, source=source, color=colour, size=6)
    plot.yaxis.formatter = NumeralTickFormatter(format=formats.AXIS_COUNT)
    rows = [(name, f"@{name}{{{number}}}{suffix}") for name in names]
    if plot.renderers:
        hover(plot, plot.renderers[0], rows, mode="vline")
    legend(plot, is_dark=is_dark)
    return plot


def stacked(frame: pd.DataFrame, kinds: str, value: str, *, number: str, is_dark: bool, most: int) -> figure:
    """Bars over time, stacked by the texts of the column `kinds`, the largest first and the smaller ones as one."""
    largest = frame.groupby(kinds)[value].sum().sort_values(ascending=False).index[:most]
    frame[kinds] = frame[kinds].where(frame[kinds].isin(largest), OTHER)
    wide = frame.pivot_table(index="time", columns=kinds, values=value, aggfunc="sum", fill_value=0.0)
    names = [*(name for name in largest if name in wide), *([OTHER] if OTHER in wide and OTHER not in largest else [])]
    # The names are the users' text and may be anything: the columns get names of our own.
    columns = {f"{kinds}_{index}": wide[name] for index, name in enumerate(names)}
    source = ColumnDataSource(pd.DataFrame(columns).reset_index())
    plot = timeline(is_dark=is_dark)
    colours = [SERIES[index % len(SERIES)] for index in range(len(names))]
    bars = plot.vbar_stack(
        list(columns), x="time", width=step_of(frame) * 0.8, source=source, color=colours, line_width=0,
        legend_label=[short(str(name)) for name in names],
    )  # fmt: skip
    for bar, column, name in zip(bars, columns, names, strict=True):
        hover(plot, bar, [(tip(str(name)), f"@{column}{{{number}}}")], mode="mouse")
    legend(plot, is_dark=is_dark)
    return plot


def legend(plot: figure, *, is_dark: bool) -> None:
    """Put the legend, if there is one, above the plot."""
    if not plot.legend:
        return
    shown = plot.legend[0]
    shown.orientation = "horizontal"
    # Longer rows than this run over the neighbouring chart on a laptop.
    shown.ncols = 4 if len(shown.items) <= 4 else 3
    shown.label_text_color = (DARK if is_dark else LIGHT).muted
    shown.label_text_font_size = "11px"
    shown.background_fill_alpha = 0
    shown.border_line_color = None
    shown.glyph_width = shown.glyph_height = 12
    shown.padding = 2
    shown.spacing = 12
    plot.add_layout(shown, "above")


def hover(plot: figure, renderer: object, rows: list[tuple[str, str]], *, mode: str) -> None:
    """Tips with the time and the rows."""
    time = ("time", "@time{%b %d %H:%M}")
    tips = HoverTool(renderers=[renderer], tooltips=[time, *rows], formatters={"@time": "datetime"}, mode=mode)
    plot.add_tools(tips)


def _axis_look(plot: figure, look: Surface) -> None:
    plot.axis.axis_line_color = look.line
    plot.axis.major_tick_line_color = None
    plot.axis.minor_tick_line_color = None
    plot.axis.major_label_text_color = look.muted
    plot.axis.major_label_text_font_size = "11px"
    plot.axis.major_label_text_font = _FONT

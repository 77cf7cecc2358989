"""The plots: functions from a table to a Bokeh figure, which a notebook can call too.

Every function takes an Arrow table or a data frame with a `time` column (UTC) and the columns named in its docstring.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import pandas as pd
import pyarrow as pa
from bokeh.models import ColumnDataSource, CustomJSTickFormatter, DatetimeTickFormatter, HoverTool, NumeralTickFormatter
from bokeh.plotting import figure

from dashboard.components import formats
from dashboard.components.palette import DARK, ERROR, LIGHT, SERIES, Surface

Frame: TypeAlias = pa.Table | pd.DataFrame
Plot = Callable[..., figure]

HEIGHT = 230
OTHER = "other"
PERCENTILES = ("p50", "p90", "p95", "p99")
_DURATION_TICKS = (
    "return tick >= 1000 ? (tick / 1000).toLocaleString('en', {maximumFractionDigits: 1}) + ' s' : tick + ' ms'"
)


def traffic(table: Frame, *, is_dark: bool = False) -> figure:
    """Traces and observations over time; columns `traces`, `observations`."""
    return _lines(_frame(table), ["observations", "traces"], "0,0", is_dark=is_dark)


def errors(table: Frame, *, is_dark: bool = False) -> figure:
    """Observations that failed, over time; column `errors`."""
    frame = _frame(table)
    plot = _figure(is_dark=is_dark)
    source = ColumnDataSource(frame)
    bars = plot.vbar(x="time", top="errors", width=_step(frame) * 0.8, source=source, color=ERROR, line_width=0)
    plot.yaxis.formatter = NumeralTickFormatter(format=formats.AXIS_COUNT)
    _hover(plot, bars, [("errors", "@errors{0,0}"), ("observations", "@observations{0,0}")], mode="vline")
    return plot


def cost_by_model(table: Frame, *, is_dark: bool = False, most: int = 6) -> figure:
    """Cost over time, stacked by model, the cheaper ones as one; columns `model`, `cost`."""
    frame = _frame(table)
    dearest = frame.groupby("model")["cost"].sum().sort_values(ascending=False).index[:most]
    frame["model"] = frame["model"].where(frame["model"].isin(dearest), OTHER)
    wide = frame.pivot_table(index="time", columns="model", values="cost", aggfunc="sum", fill_value=0.0)
    models = [*(name for name in dearest if name in wide), *([OTHER] if OTHER in wide else [])]
    # Models' names are the users' text and may be anything: the columns get names of our own.
    columns = {f"model_{index}": wide[name] for index, name in enumerate(models)}
    source = ColumnDataSource(pd.DataFrame(columns).reset_index())
    plot = _figure(is_dark=is_dark)
    colours = [SERIES[index % len(SERIES)] for index in range(len(models))]
    bars = plot.vbar_stack(
        list(columns), x="time", width=_step(frame) * 0.8, source=source, color=colours, line_width=0,
        legend_label=[_short(str(name)) for name in models],
    )  # fmt: skip
    plot.yaxis.formatter = NumeralTickFormatter(format=formats.AXIS_COST)
    for bar, column, name in zip(bars, columns, models, strict=True):
        _hover(plot, bar, [(_short(str(name)).replace("@", "@@"), f"@{column}{{$0,0.0000}}")], mode="mouse")
    _legend(plot, is_dark=is_dark)
    return plot


def latency(table: Frame, *, is_dark: bool = False) -> figure:
    """Percentiles of the traces' latency over time, in milliseconds; columns `p50`, `p90`, `p95`, `p99`."""
    frame = _frame(table)
    present = [name for name in PERCENTILES if name in frame]
    plot = _lines(frame, present, "0,0 a", is_dark=is_dark, suffix=" ms")
    plot.yaxis.formatter = CustomJSTickFormatter(code=_DURATION_TICKS)
    return plot


def sparkline(values: Sequence[float], *, colour: str = SERIES[0]) -> str:
    """A small line as SVG text, for a card."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = 120 / (len(values) - 1)
    points = " ".join(f"{i * step:.1f},{30 - (value - low) / span * 26:.1f}" for i, value in enumerate(values))
    return (
        '<svg viewBox="0 0 120 32" preserveAspectRatio="none" aria-hidden="true">'
        f'<polygon points="0,32 {points} 120,32" fill="{colour}" opacity="0.12"/>'
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"'
        ' vector-effect="non-scaling-stroke"/>'
        "</svg>"
    )


def _lines(frame: pd.DataFrame, names: Sequence[str], number: str, *, is_dark: bool, suffix: str = "") -> figure:
    plot = _figure(is_dark=is_dark)
    source = ColumnDataSource(frame)
    for name, colour in zip(names, SERIES, strict=False):
        plot.line("time", name, source=source, color=colour, line_width=2, legend_label=name)
        if len(frame) < 3:
            plot.scatter("time", name, source=source, color=colour, size=6)
    plot.yaxis.formatter = NumeralTickFormatter(format=formats.AXIS_COUNT)
    rows = [(name, f"@{name}{{{number.removesuffix(' a')}}}{suffix}") for name in names]
    if plot.renderers:
        _hover(plot, plot.renderers[0], rows, mode="vline")
    _legend(plot, is_dark=is_dark)
    return plot


def _figure(*, is_dark: bool) -> figure:
    look = DARK if is_dark else LIGHT
    plot = figure(
        x_axis_type="datetime", height=HEIGHT, sizing_mode="stretch_width", toolbar_location=None, tools="",
        background_fill_alpha=0, border_fill_alpha=0, outline_line_color=None, min_border_left=48, min_border_right=8,
    )  # fmt: skip
    plot.grid.grid_line_color = look.line
    plot.xgrid.grid_line_color = None
    plot.y_range.start = 0
    plot.yaxis.ticker.desired_num_ticks = 4
    _axis_look(plot, look)
    plot.xaxis.formatter = DatetimeTickFormatter(
        minutes="%H:%M", hourmin="%H:%M", hours="%H:%M", days="%b %d", months="%b %Y"
    )
    return plot


def _axis_look(plot: figure, look: Surface) -> None:
    plot.axis.axis_line_color = look.line
    plot.axis.major_tick_line_color = None
    plot.axis.minor_tick_line_color = None
    plot.axis.major_label_text_color = look.muted
    plot.axis.major_label_text_font_size = "11px"
    plot.axis.major_label_text_font = "Roboto, system-ui, sans-serif"


def _legend(plot: figure, *, is_dark: bool) -> None:
    if not plot.legend:
        return
    legend = plot.legend[0]
    legend.orientation = "horizontal"
    # Longer rows than this run over the neighbouring chart on a laptop.
    legend.ncols = 4 if len(legend.items) <= 4 else 3
    legend.label_text_color = (DARK if is_dark else LIGHT).muted
    legend.label_text_font_size = "11px"
    legend.background_fill_alpha = 0
    legend.border_line_color = None
    legend.glyph_width = legend.glyph_height = 12
    legend.padding = 2
    legend.spacing = 12
    plot.add_layout(legend, "above")


def _hover(plot: figure, renderer: object, rows: list[tuple[str, str]], *, mode: str) -> None:
    time = ("time", "@time{%b %d %H:%M}")
    tips = HoverTool(renderers=[renderer], tooltips=[time, *rows], formatters={"@time": "datetime"}, mode=mode)
    plot.add_tools(tips)


def _frame(table: Frame) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas() if isinstance(table, pa.Table) else table.copy()
    frame["time"] = pd.to_datetime(frame["time"], utc=True).dt.tz_localize(None)
    for name in ("cost", "traces", "observations", "errors", *PERCENTILES):
        if name in frame:
            frame[name] = frame[name].astype(float)
    return frame


def _step(frame: pd.DataFrame) -> float:
    """Milliseconds between neighbouring times, an hour when there is only one."""
    gaps = frame["time"].drop_duplicates().sort_values().diff().dropna()
    return float(gaps.min().total_seconds() * 1000) if len(gaps) else 3_600_000.0


def _short(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:27]}…"

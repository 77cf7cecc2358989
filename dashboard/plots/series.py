"""Any figures over time; a notebook can call it: `from dashboard.plots.series import series`."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

import pandas as pd
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure

from dashboard.components.palette import SERIES
from dashboard.components.units import Unit
from dashboard.plots.frames import (
    HEIGHT,
    OTHER,
    Frame,
    frame_of,
    hover,
    kind_text,
    legend,
    short,
    step_of,
    timeline,
    tip,
)

MOST = 7
_MOST_TIPS = 8


class Form(Enum):
    """How figures over time are drawn."""

    LINES = "lines"
    AREAS = "areas, stacked"
    BARS = "bars, stacked"


def series(
    table: Frame,
    unit: Unit,
    *,
    form: Form = Form.LINES,
    gap: float | None = None,
    is_dark: bool = False,
    height: int = HEIGHT,
) -> figure:
    """One line, area or stack of bars for each column beside `time` (UTC), in their order.

    Args:
        table: columns `time` and figures, named as the legend names them.
        unit: what the figures are measured in.
        form: how they are drawn.
        gap: what stands for a figure that is absent; None leaves lines interrupted.
        is_dark: for a dark page.
        height: in pixels.
    """  # fmt: skip
    frame = frame_of(table)
    names = [str(name) for name in frame.columns if name != "time"]
    # The names are the users' text and may be anything: the columns get names of our own.
    columns = [f"series_{place}" for place in range(len(names))]
    frame = frame.rename(columns=dict(zip(names, columns, strict=True)))
    if gap is not None:
        frame[columns] = frame[columns].fillna(gap)
    for column in columns:
        frame[f"{column}_text"] = [unit.text(None if pd.isna(value) else value) for value in frame[column]]
    frame["top"] = frame[columns].fillna(0).max(axis=1) if form is Form.LINES else frame[columns].sum(axis=1)
    source = ColumnDataSource(frame)
    plot = timeline(is_dark=is_dark, height=height)
    _draw(plot, source, columns, form=form, labels=list(map(short, names)))
    plot.yaxis.formatter = unit.axis()
    if columns:
        # One tip for all of a time, wherever the pointer stands above it.
        unseen = plot.line("time", "top", source=source, line_alpha=0)
        rows = [(tip(name), f"@{column}_text") for name, column in zip(names, columns, strict=True)]
        hover(plot, unseen, rows[:_MOST_TIPS], mode="vline")
    if form is Form.LINES and (frame[columns] < 0).to_numpy().any():
        plot.y_range.start = None
    legend(plot, is_dark=is_dark)
    return plot


def _draw(plot: figure, source: ColumnDataSource, columns: Sequence[str], *, form: Form, labels: Sequence[str]) -> None:
    colours = [SERIES[place % len(SERIES)] for place in range(len(columns))]
    if not columns:
        return
    if form is Form.BARS:
        width = step_of(source.to_df()) * 0.8
        plot.vbar_stack(
            columns, x="time", width=width, source=source, color=colours, line_width=0, legend_label=list(labels)
        )
    elif form is Form.AREAS:
        plot.varea_stack(columns, x="time", source=source, color=colours, fill_alpha=0.85, legend_label=list(labels))
    else:
        for column, colour, label in zip(columns, colours, labels, strict=True):
            plot.line("time", column, source=source, color=colour, line_width=2, legend_label=label)
            # A line shows no point that has no neighbour.
            plot.scatter("time", column, source=source, color=colour, size=4, legend_label=label)


def spread(
    table: Frame, by: str, value: str, *, times: Sequence[datetime] = (), is_additive: bool = True, most: int = MOST
) -> pd.DataFrame:
    """A frame for `series` of one that has a row for each time and kind: a column for each of the largest kinds.

    Args:
        table: columns `time`, `by` (a text) and `value`.
        by: the column of kinds.
        value: the column of figures.
        times: the rows that there are to be; empty: those of the table.
        is_additive: whether the figures of smaller kinds can be added up, and are then shown as one.
        most: how many kinds have a column.
    """
    frame = frame_of(table)
    frame[by] = [kind_text(kind) for kind in frame[by]]
    largest = list(frame.groupby(by)[value].sum().sort_values(ascending=False).index[:most])
    if is_additive:
        frame[by] = frame[by].where(frame[by].isin(largest), OTHER)
    wide = frame.pivot_table(index="time", columns=by, values=value, aggfunc="sum", dropna=False)
    order = [*largest, *([OTHER] if is_additive and OTHER in wide and OTHER not in largest else [])]
    return filled(wide[order].reset_index(), times)


def filled(frame: pd.DataFrame, times: Sequence[datetime]) -> pd.DataFrame:
    """The frame with a row for each of these times, if there are any; those that it had not are empty."""
    if not times:
        return frame
    frame = frame_of(frame)
    wanted = pd.DatetimeIndex(pd.to_datetime(list(times), utc=True).tz_localize(None), name="time")
    return frame.set_index("time").reindex(wanted).reset_index()

"""The plot of any widget; a notebook can call it: `from dashboard.plots.widgets import widget_plot`."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from bokeh.plotting import figure

from dashboard.components.units import title_of, unit_of
from dashboard.plots import ranking, scores
from dashboard.plots.frames import HEIGHT, Frame, kind_text
from dashboard.plots.series import Form, filled, series, spread
from heliograph.domain.metrics import TIME_DIMENSION, Aggregation
from heliograph.domain.widgets import ChartType, WidgetDefinition

_FORMS = {ChartType.LINE: Form.LINES, ChartType.AREA: Form.AREAS, ChartType.BARS_OVER_TIME: Form.BARS}
_ADDITIVE = {Aggregation.SUM, Aggregation.COUNT}
# Without rows nothing was counted; but nothing has no mean.
_ZERO_IN_GAPS = {*_ADDITIVE, Aggregation.UNIQ}


def widget_plot(
    definition: WidgetDefinition,
    table: Frame,
    *,
    times: Sequence[datetime] = (),
    is_dark: bool = False,
    height: int = HEIGHT,
) -> figure:
    """The plot of a widget that is no number and no table.

    Args:
        definition: the widget.
        table: the answer to its query: `time_dimension` (UTC) if it is over time, its dimensions and its metrics.
        times: the steps of its period, for a widget over time.
        is_dark: for a dark page.
        height: in pixels.
    """  # fmt: skip
    if definition.chart_type.is_over_time:
        return _over_time(definition, table, times, is_dark=is_dark, height=height)
    if definition.chart_type is ChartType.HISTOGRAM:
        return _histogram(definition, table, is_dark=is_dark, height=height)
    return _by_kind(definition, table, is_dark=is_dark, height=height)


def _over_time(
    definition: WidgetDefinition, table: Frame, times: Sequence[datetime], *, is_dark: bool, height: int
) -> figure:
    frame = _frame(definition, table).rename(columns={TIME_DIMENSION: "time"})
    first = definition.metrics[0]
    form, is_zero = _FORMS[definition.chart_type], first.aggregation in _ZERO_IN_GAPS
    if definition.dimensions:
        by = definition.dimensions[0].field
        is_additive = first.aggregation in _ADDITIVE
        wide = spread(frame, by, first.column, times=times, is_additive=is_additive)
    else:
        titles = {metric.column: title_of(metric) for metric in definition.metrics}
        wide = filled(frame[["time", *titles]].rename(columns=titles), times)
    gap = 0.0 if is_zero or form is not Form.LINES else None
    return series(wide, unit_of(first), form=form, gap=gap, is_dark=is_dark, height=height)


def _by_kind(definition: WidgetDefinition, table: Frame, *, is_dark: bool, height: int) -> figure:
    metric = definition.metrics[0]
    frame = _frame(definition, table).dropna(subset=[metric.column])
    by = definition.dimensions[0].field if definition.dimensions else None
    names = frame[by].tolist() if by else [title_of(metric)] * len(frame)
    values, unit = frame[metric.column].tolist(), unit_of(metric)
    texts = [unit.text(value) for value in values]
    if definition.chart_type is ChartType.PIE:
        return ranking.shares(names, values, texts, is_dark=is_dark, height=height)
    drawn = ranking.columns if definition.chart_type is ChartType.VERTICAL_BAR else ranking.ranking
    tips = [(title_of(metric), texts)]
    return drawn(names, values, tips, axis=unit.axis(), is_dark=is_dark, height=height)


def _histogram(definition: WidgetDefinition, table: Frame, *, is_dark: bool, height: int) -> figure:
    metric = definition.metrics[0]
    rows = table.to_pylist() if isinstance(table, pa.Table) else table.to_dict("records")
    bins = [
        tuple(each.values()) if isinstance(each, dict) else tuple(each) for row in rows for each in row[metric.column]
    ]
    plot = scores.score_histogram(pd.DataFrame(bins, columns=["start", "end", "n"]), is_dark=is_dark)
    plot.height = height
    plot.xaxis.formatter = unit_of(metric).axis()
    return plot


def _frame(definition: WidgetDefinition, table: Frame) -> pd.DataFrame:
    """The answer with its dimensions as texts, by which lists are grouped, too, and its figures as floats."""
    frame = table.to_pandas() if isinstance(table, pa.Table) else table.copy()
    for dimension in definition.dimensions:
        values = frame[dimension.field]
        frame[dimension.field] = [kind_text(list(each) if isinstance(each, np.ndarray) else each) for each in values]
    for metric in definition.metrics:
        frame[metric.column] = frame[metric.column].astype(float)
    return frame

"""What stands in the card of a widget: a number, a table or a plot of its answer."""

from typing import Any

import pandas as pd
import panel as pn
from markupsafe import Markup

from dashboard.components import formats, panes
from dashboard.components.tables import table
from dashboard.components.units import title_of, unit_of, words
from dashboard.plots.frames import kind_text
from dashboard.plots.widgets import widget_plot
from dashboard.queries.dashboards import Answer
from heliograph.domain.widgets import ChartType, WidgetDefinition

NOTHING = Markup('<p class="absent">Nothing in this period.</p>')
_SCROLL = Markup('<div class="figures" tabindex="0">{}</div>')
Row = dict[str, Any]


def widget_content(definition: WidgetDefinition, answer: Answer, *, is_dark: bool, height: int) -> pn.viewable.Viewable:
    """The content of a widget's card, so many pixels high."""
    if not answer.table.num_rows:
        return panes.html(NOTHING)
    if definition.chart_type is ChartType.NUMBER:
        return panes.html(_number(definition, answer))
    if definition.chart_type.is_tabular:
        is_crossed = definition.chart_type is ChartType.PIVOT_TABLE and len(definition.dimensions) > 1
        shown = _crossed(definition, answer) if is_crossed else _rows(definition, answer)
        return panes.html(_SCROLL.format(shown), height=height)
    plot = widget_plot(definition, answer.table, times=answer.times, is_dark=is_dark, height=height)
    return pn.pane.Bokeh(plot, sizing_mode="stretch_width", margin=0)


def _number(definition: WidgetDefinition, answer: Answer) -> Markup:
    metric = definition.metrics[0]
    now, before = _single(answer.table, metric.column), _single(answer.before, metric.column)
    difference = formats.change(now, before) if now is not None and before else ""
    against = f"{difference} vs previous period" if difference else "no earlier data"
    text = unit_of(metric).text(now)
    return Markup('<div class="number" title="{}">{}</div><div class="change">{}</div>').format(
        title_of(metric), text, against
    )


def _single(found: Any, column: str) -> float | None:
    value = None if found is None or not found.num_rows else found.column(column)[0].as_py()
    return None if value is None or pd.isna(value) else float(value)


def _rows(definition: WidgetDefinition, answer: Answer) -> Markup:
    dimensions, metrics = [each.field for each in definition.dimensions], definition.metrics
    titles = [*map(words, dimensions), *map(title_of, metrics)]
    rows = [
        [kind_text(row[name]) for name in dimensions]
        + [unit_of(metric).text(_float(row[metric.column])) for metric in metrics]
        for row in answer.table.to_pylist()
    ]
    return table(titles, rows, numbers=len(metrics))


def _crossed(definition: WidgetDefinition, answer: Answer) -> Markup:
    """The first dimension down, the second across, and each figure the darker the greater it is."""
    (down, across), metric = [each.field for each in definition.dimensions], definition.metrics[0]
    rows: list[Row] = answer.table.to_pylist()
    cells = {(kind_text(row[down]), kind_text(row[across])): _float(row[metric.column]) for row in rows}
    lines, columns = (list(dict.fromkeys(place[side] for place in cells)) for side in (0, 1))
    figures = [value for value in cells.values() if value is not None]
    least, greatest = min(figures, default=0.0), max(figures, default=0.0)
    unit = unit_of(metric)

    def shaded(value: float | None) -> Markup:
        share = 0.0 if value is None or greatest == least else (value - least) / (greatest - least)
        text = unit.text(value)
        return Markup('<span class="shade" style="--share: {}%">{}</span>').format(round(6 + 34 * share), text)

    found = [[line, *(shaded(cells.get((line, column))) for column in columns)] for line in lines]
    return table([words(down), *columns], found, numbers=len(columns))


def _float(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)

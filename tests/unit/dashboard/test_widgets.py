"""Widgets of every kind from the answers to their queries."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import panel as pn
import pyarrow as pa
import pytest
from bokeh.models import AnnularWedge, HBar, Line, Quad, VArea, VBar

from dashboard.components.units import title_of, unit_of
from dashboard.components.widget_content import widget_content
from dashboard.plots.widgets import widget_plot
from dashboard.queries.dashboards import Answer
from heliograph.domain.metrics import Aggregation, Dimension, Metric, ViewName
from heliograph.domain.widgets import ChartType, WidgetDefinition

TIMES = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(4)]
OVER_TIME = pa.table(
    {
        "time_dimension": [TIMES[0], TIMES[0], TIMES[2]],
        "name": ["<b>a</b>", "", "<b>a</b>"],
        "sum_totalCost": [Decimal("0.5"), Decimal("0.25"), Decimal("1.5")],
    }
)
BY_NAME = pa.table({"name": ["@a", ""], "sum_totalCost": [Decimal("2.5"), Decimal("0.5")]})


def widget(chart: ChartType, *by: str, metric: str = "sum totalCost") -> WidgetDefinition:
    aggregation, measure = metric.split(" ")
    return WidgetDefinition(
        name="w",
        view=ViewName.OBSERVATIONS,
        metrics=(Metric(measure=measure, aggregation=Aggregation(aggregation)),),
        dimensions=tuple(Dimension(field=name) for name in by),
        chart_type=chart,
    )


def shown(definition: WidgetDefinition, table: pa.Table, **more: Any) -> str:
    content = widget_content(definition, Answer(table, **more), is_dark=False, height=200)
    assert isinstance(content, pn.pane.HTML)
    return str(content.object)


@pytest.mark.parametrize(
    ("chart", "glyph"), [(ChartType.LINE, Line), (ChartType.AREA, VArea), (ChartType.BARS_OVER_TIME, VBar)]
)
def test_time_series_have_a_series_for_each_group_and_nothing_where_no_rows_are(chart: ChartType, glyph: type) -> None:
    plot = widget_plot(widget(chart, "name"), OVER_TIME, times=TIMES)
    drawn = next(each for each in plot.renderers if isinstance(each.glyph, glyph))
    assert list(drawn.data_source.data["series_0"]) == [0.5, 0, 1.5, 0]
    assert list(drawn.data_source.data["series_1"]) == [0.25, 0, 0, 0]
    assert [item.label.value for item in plot.legend[0].items] == ["<b>a</b>", "none"]


def test_lines_of_means_are_interrupted_where_no_rows_are() -> None:
    means = OVER_TIME.rename_columns(["time_dimension", "name", "avg_latency"])
    plot = widget_plot(widget(ChartType.LINE, "name", metric="avg latency"), means, times=TIMES)
    values = list(plot.renderers[0].data_source.data["series_0"])
    assert (values[0], values[2]) == (0.5, 1.5)
    assert values[1] != values[1]


@pytest.mark.parametrize(
    ("chart", "glyph"),
    [(ChartType.HORIZONTAL_BAR, HBar), (ChartType.VERTICAL_BAR, VBar), (ChartType.PIE, AnnularWedge)],
)
def test_groups_are_drawn_by_their_figures(chart: ChartType, glyph: type) -> None:
    plot = widget_plot(widget(chart, "name"), BY_NAME)
    drawn = [each for each in plot.renderers if isinstance(each.glyph, glyph)]
    names = [name for each in drawn for name in each.data_source.data["name"]]
    assert names == ["@a", "none"]


def test_histograms_have_their_bins() -> None:
    table = pa.table({"histogram_latency": [[{"1": 0.0, "2": 10.0, "3": 4.0}, {"1": 10.0, "2": 20.0, "3": 1.0}]]})
    plot = widget_plot(widget(ChartType.HISTOGRAM, metric="histogram latency"), table)
    (bars,) = (each for each in plot.renderers if isinstance(each.glyph, Quad))
    assert list(bars.data_source.data["n"]) == [4, 1]
    assert list(bars.data_source.data["end"]) == [10, 20]


def test_numbers_are_compared_with_the_period_before() -> None:
    now, before = (pa.table({"sum_totalCost": [Decimal(each)]}) for each in ("3", "2"))
    text = shown(widget(ChartType.NUMBER), now, before=before)
    assert "$3.00" in text
    assert "+50% vs previous period" in text
    assert "no earlier data" in shown(widget(ChartType.NUMBER), now)


def test_tables_show_the_users_text_as_text() -> None:
    text = shown(widget(ChartType.TABLE, "name"), BY_NAME.set_column(0, "name", pa.array(["<script>", ""])))
    assert "&lt;script&gt;" in text
    assert "$2.50" in text
    assert "total cost" in text


def test_pivots_of_two_dimensions_cross_them() -> None:
    table = pa.table({"name": ["a", "a", "b"], "type": ["SPAN", "TOOL", "TOOL"], "count_count": [4, 1, 2]})
    text = shown(widget(ChartType.PIVOT_TABLE, "name", "type", metric="count count"), table)
    assert text.index("SPAN") < text.index("TOOL")
    assert text.count('class="shade"') == 4
    assert "–" in text


def test_a_widget_without_rows_says_so() -> None:
    assert "Nothing in this period" in shown(widget(ChartType.TABLE, "name"), BY_NAME.slice(0, 0))


@pytest.mark.parametrize(
    ("metric", "title", "text"),
    [
        ("count count", "count", "1.5k"),
        ("p95 latency", "p95 latency", "1.50 s"),
        ("sum totalCost", "total cost", "$1,500"),
        ("uniq uniqueUserIds", "different unique user ids", "1.5k"),
        ("max backlogBytes", "greatest backlog bytes", "1.5 kB"),
    ],
)
def test_figures_are_called_and_written_by_what_they_are(metric: str, title: str, text: str) -> None:
    aggregation, measure = metric.split(" ")
    asked = Metric(measure=measure, aggregation=Aggregation(aggregation))
    assert title_of(asked) == title
    assert unit_of(asked).text(1_500.0) == text

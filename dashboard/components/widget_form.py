"""The form with which a widget is made and changed."""

from collections.abc import Callable
from typing import Any, cast

import panel as pn
import panel_material_ui as pmui

from dashboard.components.units import words
from heliograph.domain.filters import Condition, TextCondition
from heliograph.domain.metrics import DEFAULT_BINS, MAX_ROWS, Aggregation, Dimension, Metric, ViewName
from heliograph.domain.widgets import DEFAULT_ROWS, ChartConfig, ChartType, WidgetDefinition, defined
from storage.clickhouse.metrics.widgets import dimensions_of, is_of_texts, measures_of, text_filters_of

_WIDE: dict[str, Any] = {"sizing_mode": "stretch_width", "size": "small", "margin": (0, 0, 14, 0)}
_NOTHING = "–"
_MOST_METRICS, _MOST_DIMENSIONS, _MOST_FILTERS = 3, 2, 3
_VIEWS = {
    "Traces": ViewName.TRACES, "Observations": ViewName.OBSERVATIONS, "Numeric scores": ViewName.NUMERIC_SCORES,
    "Categorical scores": ViewName.CATEGORICAL_SCORES, "Boolean scores": ViewName.BOOLEAN_SCORES,
    "Ingestion": ViewName.INGESTION,
}  # fmt: skip
_CHARTS = {
    "Lines over time": ChartType.LINE, "Areas over time": ChartType.AREA, "Bars over time": ChartType.BARS_OVER_TIME,
    "Horizontal bars": ChartType.HORIZONTAL_BAR, "Vertical bars": ChartType.VERTICAL_BAR, "Pie": ChartType.PIE,
    "Number": ChartType.NUMBER, "Histogram": ChartType.HISTOGRAM, "Pivot table": ChartType.PIVOT_TABLE,
    "Table": ChartType.TABLE,
}  # fmt: skip
_AGGREGATIONS = [each for each in Aggregation if each is not Aggregation.HISTOGRAM]
_OF_TEXTS = [Aggregation.COUNT, Aggregation.UNIQ]
_OPERATORS = ["=", "contains", "does not contain", "starts with", "ends with"]
FIRST = WidgetDefinition(
    name="New widget",
    view=ViewName.TRACES,
    metrics=(Metric(measure="count", aggregation=Aggregation.COUNT),),
    chart_type=ChartType.BARS_OVER_TIME,
)


class _MetricChoice:
    """A measure and how it is aggregated; without a measure it is none."""

    def __init__(self, place: int) -> None:
        title = "Measure" if place == 0 else f"Measure {place + 1}"
        self.measure = pmui.Select(label=title, options=[], **_WIDE)
        self.aggregation = pmui.Select(label="Aggregation", options=[], **_WIDE)

    def view(self) -> pn.Row:
        return pn.Row(self.measure, self.aggregation, sizing_mode="stretch_width", margin=0, styles={"gap": "12px"})

    def offer(self, view: ViewName, chart: ChartType, *, is_needed: bool) -> None:
        known = measures_of(view)
        options = {**({} if is_needed else {_NOTHING: ""}), **{words(name): name for name in known}}
        _offer(self.measure, options)
        measure = self.measure.value
        allowed = _OF_TEXTS if measure and is_of_texts(view, measure) else _AGGREGATIONS
        if chart is ChartType.HISTOGRAM:
            allowed = [Aggregation.HISTOGRAM]
        _offer(self.aggregation, {str(each): each for each in allowed})

    @property
    def metric(self) -> Metric | None:
        if not self.measure.value:
            return None
        return Metric(measure=self.measure.value, aggregation=self.aggregation.value)


class _FilterChoice:
    """A comparison of a text; without a column it is none."""

    def __init__(self) -> None:
        self.column = pmui.Select(label="Only where", options={_NOTHING: ""}, value="", **_WIDE)
        self.operator = pmui.Select(label="Comparison", options=_OPERATORS, value="=", **_WIDE)
        self.value = pmui.TextInput(label="Text", **_WIDE)

    def view(self) -> pn.Row:
        parts = (self.column, self.operator, self.value)
        return pn.Row(*parts, sizing_mode="stretch_width", margin=0, styles={"gap": "12px"})

    @property
    def condition(self) -> TextCondition | None:
        if not self.column.value:
            return None
        return TextCondition(
            type="string", column=self.column.value, operator=self.operator.value, value=self.value.value
        )


class WidgetForm:
    """The parts of a widget to fill in; what the form has no field for stays as it was.

    Args:
        before: the widget that it starts from.
        on_change: called whenever what is filled in would be another widget.
    """

    def __init__(self, before: WidgetDefinition, on_change: Callable[[], Any]) -> None:
        self._before = before
        self._on_change = on_change
        self._is_filling = True
        self.name = pmui.TextInput(label="Name", value=before.name, **_WIDE)
        self.view_name = pmui.Select(label="What is looked at", options=_VIEWS, value=before.view, **_WIDE)
        self.chart = pmui.Select(label="Chart", options=_CHARTS, value=before.chart_type, **_WIDE)
        self.metrics = [_MetricChoice(place) for place in range(_MOST_METRICS)]
        self.dimensions = [
            pmui.Select(label=title, options={_NOTHING: ""}, value="", **_WIDE)
            for title in ("Grouped by", "and by")[:_MOST_DIMENSIONS]
        ]
        self.filters = [_FilterChoice() for _ in range(_MOST_FILTERS)]
        config = before.chart_config
        self.rows = pmui.IntInput(
            label="Most groups", value=config.row_limit or DEFAULT_ROWS, start=1, end=MAX_ROWS, **_WIDE
        )
        self.bins = pmui.IntInput(label="Bins", value=config.bins or DEFAULT_BINS, start=1, end=100, **_WIDE)
        self.save = pmui.Button(label="Save", color="primary", variant="contained", margin=(4, 12, 0, 0))
        self.cancel = pmui.Button(label="Cancel", variant="outlined", margin=(4, 0, 0, 0))
        self._others = tuple(each for each in before.filters if not _has_field(each))
        self._metric_rows = [choice.view() for choice in self.metrics]
        self._fill()
        self._follow()

    def view(self) -> pn.Column:
        """The form."""
        filters = [choice.view() for choice in self.filters]
        parts = [self.name, self.view_name, self.chart, *self._metric_rows, *self.dimensions, self.rows, self.bins]
        buttons = pn.Row(self.save, self.cancel, margin=0)
        return pn.Column(*parts, *filters, buttons, sizing_mode="stretch_width", margin=(6, 0, 8, 0))

    def definition(self) -> WidgetDefinition:
        """What is filled in; raises InvalidRequest."""
        chart = self.chart.value
        wanted = self.metrics if self._takes_many() else self.metrics[:1]
        asked = [choice.condition for choice in self.filters]
        return defined(
            name=self.name.value_input or self.name.value,
            description=self._before.description,
            view=self.view_name.value,
            dimensions=tuple(Dimension(field=name) for name in dict.fromkeys(self._chosen_dimensions()) if name),
            metrics=tuple(filter(None, (choice.metric for choice in wanted))),
            filters=(*filter(None, asked), *self._others),
            chart_type=chart,
            chart_config=ChartConfig(
                row_limit=self.rows.value if self.rows.visible else None,
                bins=self.bins.value if self.bins.visible else None,
            ),
        )

    def _fill(self) -> None:
        self._offer()
        for choice, metric in zip(self.metrics, self._before.metrics, strict=False):
            choice.measure.value = metric.measure
            choice.offer(self.view_name.value, self.chart.value, is_needed=choice is self.metrics[0])
            choice.aggregation.value = metric.aggregation
        for select, dimension in zip(self.dimensions, self._before.dimensions, strict=False):
            select.value = dimension.field
        own = [each for each in self._before.filters if _has_field(each)]
        for asked, condition in zip(self.filters, own, strict=False):
            told = cast("TextCondition", condition)
            asked.column.value, asked.operator.value, asked.value.value = told.column, told.operator, told.value
        self._offer()
        self._is_filling = False

    def _offer(self) -> None:
        """Offer what the chosen view and chart know, and hide the rest."""
        view, chart = self.view_name.value, self.chart.value
        for place, choice in enumerate(self.metrics):
            choice.offer(view, chart, is_needed=place == 0)
            self._metric_rows[place].visible = place == 0 or self._takes_many()
        for place, select in enumerate(self.dimensions):
            _offer(select, {_NOTHING: "", **{words(name): name for name in dimensions_of(view)}})
            select.visible = place < chart.most_dimensions
        for asked in self.filters:
            _offer(asked.column, {_NOTHING: "", **{words(name): name for name in text_filters_of(view)}})
        self.rows.visible = chart.most_dimensions > 0 and not chart.is_over_time
        self.bins.visible = chart is ChartType.HISTOGRAM

    def _follow(self) -> None:
        fields = [self.view_name, self.chart, *self.dimensions, self.rows, self.bins]
        fields += [field for choice in self.metrics for field in (choice.measure, choice.aggregation)]
        fields += [field for choice in self.filters for field in (choice.column, choice.operator, choice.value)]
        for field in fields:
            field.param.watch(self._changed, "value")

    async def _changed(self, *_: object) -> None:
        if self._is_filling:
            return
        self._is_filling = True
        self._offer()
        self._is_filling = False
        await self._on_change()

    def _takes_many(self) -> bool:
        chart: ChartType = self.chart.value
        dimensions = [name for name in self._chosen_dimensions() if name]
        if chart is ChartType.PIVOT_TABLE:
            return len(dimensions) < _MOST_DIMENSIONS
        return chart is ChartType.TABLE or (chart.is_over_time and not dimensions)

    def _chosen_dimensions(self) -> list[str]:
        return [select.value for select in self.dimensions[: self.chart.value.most_dimensions]]


def _has_field(condition: Condition) -> bool:
    return isinstance(condition, TextCondition) and condition.operator in _OPERATORS


def _offer(select: pmui.Select, options: dict[str, Any]) -> None:
    """Give a choice other options; what was chosen stays if it is among them."""
    chosen = select.value if select.value in options.values() else next(iter(options.values()))
    select.param.update(options=options, value=chosen)

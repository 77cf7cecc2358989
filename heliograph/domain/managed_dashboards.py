"""The dashboards that come with Heliograph, as data: every project sees them, and copies what it wants to change."""

from collections.abc import Mapping
from typing import Any

from heliograph.domain.dashboards import GRID_COLUMNS, Dashboard, Placement, Widget
from heliograph.domain.filters import Condition, TextOptionsCondition, equals
from heliograph.domain.metrics import Aggregation, Dimension, Metric, ViewName
from heliograph.domain.widgets import ChartConfig, ChartType, WidgetDefinition

OBSERVATIONS, TRACES, INGESTION = ViewName.OBSERVATIONS, ViewName.TRACES, ViewName.INGESTION
LINE, AREA, BARS = ChartType.LINE, ChartType.AREA, ChartType.BARS_OVER_TIME
TOP, NUMBER, PIE = ChartType.HORIZONTAL_BAR, ChartType.NUMBER, ChartType.PIE
HISTOGRAM, PIVOT, TABLE = ChartType.HISTOGRAM, ChartType.PIVOT_TABLE, ChartType.TABLE

_CALLS: Condition = equals("type", "GENERATION")
_FAILED: Condition = equals("level", "ERROR")
_BY_MODEL = Dimension(field="providedModelName")
# What has no model, or no version of an evaluator, would be one large group of nothing.
_WITH_MODEL: Condition = TextOptionsCondition(
    type="stringOptions", column="providedModelName", operator="none of", value=[""]
)
_NUMBER_SIZE, _HALF, _WHOLE = (3, 2), (6, 4), (12, 4)


def _metric(text: str) -> Metric:
    aggregation, measure = text.split(" ")
    return Metric(measure=measure, aggregation=Aggregation(aggregation))


def _widget(name: str, view: ViewName, chart: ChartType, *metrics: str, **more: Any) -> WidgetDefinition:
    by, rows = more.pop("by", ()), more.pop("rows", None)
    return WidgetDefinition(
        name=name,
        view=view,
        chart_type=chart,
        metrics=tuple(map(_metric, metrics)),
        dimensions=tuple(each if isinstance(each, Dimension) else Dimension(field=each) for each in by),
        chart_config=ChartConfig(row_limit=rows, bins=more.pop("bins", None)),
        **more,
    )


_Sized = tuple[tuple[int, int], WidgetDefinition]

_LATENCY: tuple[_Sized, ...] = (
    (_NUMBER_SIZE, _widget("Median of a trace", TRACES, NUMBER, "p50 latency")),
    (_NUMBER_SIZE, _widget("95th percentile of a trace", TRACES, NUMBER, "p95 latency")),
    (_NUMBER_SIZE, _widget("Median of a model call", OBSERVATIONS, NUMBER, "p50 latency", filters=(_CALLS,))),
    (_NUMBER_SIZE, _widget("Median to the first token", OBSERVATIONS, NUMBER, "p50 timeToFirstToken")),
    (_HALF, _widget("Traces, percentiles", TRACES, LINE, "p50 latency", "p90 latency", "p99 latency")),
    (_HALF, _widget("Traces, distribution", TRACES, HISTOGRAM, "histogram latency", bins=30)),
    (_HALF, _widget("95th percentile by trace name", TRACES, TOP, "p95 latency", by=("name",), rows=12)),
    (_HALF, _widget("95th percentile by model", OBSERVATIONS, LINE, "p95 latency", by=(_BY_MODEL,),
                    filters=(_CALLS, _WITH_MODEL))),
    (_HALF, _widget("First token by model, 95th percentile", OBSERVATIONS, LINE, "p95 timeToFirstToken",
                    by=(_BY_MODEL,), filters=(_CALLS, _WITH_MODEL))),
    (_HALF, _widget("Output tokens a second by model", OBSERVATIONS, TOP, "avg outputTokensPerSecond", by=(_BY_MODEL,),
                    filters=(_CALLS, _WITH_MODEL), rows=12)),
    (_WHOLE, _widget("Observations by type and level, 95th percentile", OBSERVATIONS, PIVOT, "p95 latency",
                     by=("type", "level"))),
)  # fmt: skip

_COST: tuple[_Sized, ...] = (
    (_NUMBER_SIZE, _widget("Total", OBSERVATIONS, NUMBER, "sum totalCost")),
    (_NUMBER_SIZE, _widget("Mean of a trace", TRACES, NUMBER, "avg totalCost")),
    (_NUMBER_SIZE, _widget("95th percentile of a trace", TRACES, NUMBER, "p95 totalCost")),
    (_NUMBER_SIZE, _widget("Mean of a model call", OBSERVATIONS, NUMBER, "avg totalCost", filters=(_CALLS,))),
    (_WHOLE, _widget("By model", OBSERVATIONS, BARS, "sum totalCost", by=(_BY_MODEL,), filters=(_WITH_MODEL,))),
    (_HALF, _widget("By type of cost", OBSERVATIONS, AREA, "sum costByType", by=("costType",))),
    (_HALF, _widget("By environment", TRACES, PIE, "sum totalCost", by=("environment",), rows=8)),
    (_HALF, _widget("Users who cost most", TRACES, TOP, "sum totalCost", by=("userId",), rows=12)),
    (_HALF, _widget("Traces that cost most, by name", TRACES, TOP, "sum totalCost", by=("name",), rows=12)),
    (_WHOLE, _widget("Models", OBSERVATIONS, TABLE, "sum totalCost", "count count", "sum inputTokens",
                     "sum outputTokens", "avg totalCost", by=(_BY_MODEL,), filters=(_WITH_MODEL,), rows=50)),
)  # fmt: skip

_USAGE: tuple[_Sized, ...] = (
    (_NUMBER_SIZE, _widget("Traces", TRACES, NUMBER, "count count")),
    (_NUMBER_SIZE, _widget("Observations", OBSERVATIONS, NUMBER, "count count")),
    (_NUMBER_SIZE, _widget("Users", TRACES, NUMBER, "uniq uniqueUserIds")),
    (_NUMBER_SIZE, _widget("Tokens", OBSERVATIONS, NUMBER, "sum totalTokens")),
    (_HALF, _widget("Traces by environment", TRACES, BARS, "count count", by=("environment",))),
    (_HALF, _widget("Observations by type", OBSERVATIONS, BARS, "count count", by=("type",))),
    (_HALF, _widget("Tokens by kind", OBSERVATIONS, AREA, "sum usageByType", by=("usageType",))),
    (_HALF, _widget("Tokens by model", OBSERVATIONS, AREA, "sum totalTokens", by=(_BY_MODEL,), filters=(_WITH_MODEL,))),
    (_HALF, _widget("Users and sessions", TRACES, LINE, "uniq uniqueUserIds", "uniq uniqueSessionIds")),
    (_HALF, _widget("Traces by release", TRACES, PIE, "count count", by=("release",), rows=8)),
    (_WHOLE, _widget("Prompts", OBSERVATIONS, TABLE, "count count", "sum totalCost", "p95 latency",
                     by=("promptName", "promptVersion"), rows=50,
                     filters=(TextOptionsCondition(
                         type="stringOptions", column="promptName", operator="none of", value=[""]),))),
)  # fmt: skip

_SCORES, _CATEGORIES = ViewName.NUMERIC_SCORES, ViewName.CATEGORICAL_SCORES
_QUALITY: tuple[_Sized, ...] = (
    (_NUMBER_SIZE, _widget("Numeric scores", _SCORES, NUMBER, "count count")),
    (_NUMBER_SIZE, _widget("Categorical scores", _CATEGORIES, NUMBER, "count count")),
    (_NUMBER_SIZE, _widget("Boolean scores", ViewName.BOOLEAN_SCORES, NUMBER, "count count")),
    (_NUMBER_SIZE, _widget("Failed observations", OBSERVATIONS, NUMBER, "count count", filters=(_FAILED,))),
    (_WHOLE, _widget("Means of numeric scores", _SCORES, LINE, "avg value", by=("name",))),
    (_HALF, _widget("Distribution of numeric scores", _SCORES, HISTOGRAM, "histogram value", bins=20)),
    (_HALF, _widget("Categories", _CATEGORIES, BARS, "count count", by=("stringValue",))),
    (_HALF, _widget("Means by name and source", _SCORES, PIVOT, "avg value", by=("name", "source"))),
    (_HALF, _widget("Means by evaluator version", _SCORES, TABLE, "avg value", "count count",
                    by=("name", "evaluatorId"), rows=50)),
    (_HALF, _widget("Failed observations by name", OBSERVATIONS, TOP, "count count", by=("name",), filters=(_FAILED,),
                    rows=12)),
    (_HALF, _widget("Failed observations over time", OBSERVATIONS, BARS, "count count", by=("type",),
                    filters=(_FAILED,))),
)  # fmt: skip

_HEALTH: tuple[_Sized, ...] = (
    (_NUMBER_SIZE, _widget("Events acknowledged a second", INGESTION, NUMBER, "avg acknowledgedPerSecond")),
    (_NUMBER_SIZE, _widget("Oldest unflushed event, worst", INGESTION, NUMBER, "max oldestUnflushed")),
    (_NUMBER_SIZE, _widget("Backlog, worst", INGESTION, NUMBER, "max backlogBytes")),
    (_NUMBER_SIZE, _widget("Rows per insert", INGESTION, NUMBER, "avg rowsPerInsert")),
    (_HALF, _widget("Events a second, acknowledged and merged", INGESTION, LINE, "avg acknowledgedPerSecond",
                    "avg mergedPerSecond")),
    (_HALF, _widget("Oldest unflushed event by lane", INGESTION, LINE, "max oldestUnflushed", by=("lane",))),
    (_HALF, _widget("Backlog by lane", INGESTION, AREA, "max backlogBytes", by=("lane",))),
    (_HALF, _widget("Rows per insert by lane", INGESTION, LINE, "avg rowsPerInsert", by=("lane",))),
    (_HALF, _widget("Duration of an insert by lane", INGESTION, LINE, "avg insertDuration", by=("lane",))),
    (_HALF, _widget("Lanes", INGESTION, TABLE, "max oldestUnflushed", "max lagSegments", "avg rowsPerInsert",
                    by=("lane",))),
)  # fmt: skip

_DASHBOARDS = (
    ("latency", "Latency", "How long traces, model calls and first tokens take, and which are slow.", _LATENCY),
    ("cost", "Cost", "What models, users and traces cost.", _COST),
    ("usage", "Usage", "How much is traced, by whom, and with how many tokens.", _USAGE),
    ("quality", "Quality", "Scores, their distribution and trend, and what fails.", _QUALITY),
    ("ingestion", "Ingestion health", "How far what readers see is behind what was sent, for all projects.", _HEALTH),
)


def _made(key: str, name: str, *, description: str, sized: tuple[_Sized, ...]) -> tuple[Dashboard, list[Widget]]:
    widgets, placements = [], []
    x = y = row_height = 0
    for number, ((width, height), definition) in enumerate(sized, 1):
        if x + width > GRID_COLUMNS:
            x, y, row_height = 0, y + row_height, 0
        widget_id = f"heliograph-{key}-{number}"
        widgets.append(Widget(id=widget_id, definition=definition))
        placements.append(Placement(id=str(number), widget_id=widget_id, x=x, y=y, width=width, height=height))
        x, row_height = x + width, max(row_height, height)
    dashboard = Dashboard(id=f"heliograph-{key}", name=name, description=description, placements=tuple(placements))
    return dashboard, widgets


_MADE = [_made(key, name, description=text, sized=sized) for key, name, text, sized in _DASHBOARDS]
MANAGED_DASHBOARDS: Mapping[str, Dashboard] = {dashboard.id: dashboard for dashboard, _ in _MADE}
MANAGED_WIDGETS: Mapping[str, Widget] = {widget.id: widget for _, widgets in _MADE for widget in widgets}

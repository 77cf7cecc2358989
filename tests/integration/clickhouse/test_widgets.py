"""Widgets are answered by ClickHouse, each by one aggregation."""

from datetime import timedelta
from decimal import Decimal

import pytest

from heliograph.domain.errors import InvalidRequest
from heliograph.domain.filters import equals
from heliograph.domain.managed_dashboards import MANAGED_WIDGETS
from heliograph.domain.metrics import TIME_DIMENSION, Aggregation, Dimension, Metric, ViewName
from heliograph.domain.widgets import ChartSort, ChartType, defined
from storage.clickhouse.metrics.widgets import WidgetFigures, applicable
from tests.factories import NOON
from tests.integration.clickhouse.stored import Stored

DAY = timedelta(days=1)
SPAN = (NOON - DAY, NOON + DAY)
COST = Metric(measure="totalCost", aggregation=Aggregation.SUM)


def insert(stored: Stored) -> WidgetFigures:
    """Three model calls of two models, in two environments."""
    calls = (("a", "5", "production"), ("a", "1", "staging"), ("b", "3", "production"))
    stored.insert(
        "observations",
        *(
            stored.observation(
                f"t{at}", f"o{at}", type="GENERATION", provided_model_name=model, total_cost=Decimal(cost),
                environment=environment,
            )
            for at, (model, cost, environment) in enumerate(calls)
        ),
    )  # fmt: skip
    return WidgetFigures(stored.clickhouse, stored.project_id)


async def test_every_managed_widget_is_answered_with_its_columns(stored: Stored) -> None:
    figures = insert(stored)
    for widget in MANAGED_WIDGETS.values():
        asked = widget.definition
        if asked.view is ViewName.INGESTION:
            continue
        names = [*(each.field for each in asked.dimensions), *(each.column for each in asked.metrics)]
        found = await figures.table(asked.query(*SPAN))
        assert [name for name in found.column_names if name != TIME_DIMENSION] == names, widget.id
        assert (TIME_DIMENSION in found.column_names) is asked.chart_type.is_over_time


async def test_the_largest_groups_are_kept_and_sorted_as_asked(stored: Stored) -> None:
    figures = insert(stored)
    models = {"name": "w", "view": "observations", "dimensions": (Dimension(field="providedModelName"),)}
    bars = defined(**models, metrics=(COST,), chart_type=ChartType.HORIZONTAL_BAR, chart_config={"row_limit": 1})
    assert (await figures.table(bars.query(*SPAN))).to_pylist() == [
        {"providedModelName": "a", "sum_totalCost": Decimal(6)}
    ]
    sort = ChartSort(column="providedModelName", order="DESC")
    table = defined(**models, metrics=(COST,), chart_type=ChartType.TABLE, chart_config={"default_sort": sort})
    assert (await figures.table(table.query(*SPAN)))["providedModelName"].to_pylist() == ["b", "a"]


async def test_a_dashboard_narrows_only_what_knows_its_columns(stored: Stored) -> None:
    figures = insert(stored)
    number = defined(name="w", view="observations", metrics=(COST,), chart_type=ChartType.NUMBER)
    common = [equals("environment", "production"), equals("stringValue", "good")]
    narrowed = applicable(number.view, common)
    assert narrowed == common[:1]
    assert (await figures.table(number.query(*SPAN, narrowed))).to_pylist() == [{"sum_totalCost": Decimal(8)}]


async def test_what_lanes_measure_is_not_asked_of_clickhouse(stored: Stored) -> None:
    metric = Metric(measure="oldestUnflushed", aggregation=Aggregation.MAX)
    lanes = defined(name="w", view="ingestion", metrics=(metric,), chart_type=ChartType.NUMBER)
    with pytest.raises(InvalidRequest):
        await WidgetFigures(stored.clickhouse, stored.project_id).table(lanes.query(*SPAN))

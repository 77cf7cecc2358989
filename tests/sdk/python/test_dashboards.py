"""Dashboards, their placements and widgets."""

from typing import Any

import pytest

pytestmark = pytest.mark.needs("unstable.dashboards.create")


def widget(api: Any, name: str) -> Any:
    return api(
        "unstable.dashboard_widgets.create", name=name, view="observations",
        dimensions=[{"field": "providedModelName"}], metrics=[{"measure": "totalCost", "agg": "sum"}],
        filters=[{"type": "string", "column": "environment", "operator": "=", "value": "production"}],
        chart_type="HORIZONTAL_BAR", description="what costs", chart_config={"type": "HORIZONTAL_BAR", "row_limit": 12},
    )  # fmt: skip


def test_a_widget_is_created_read_changed_listed_and_deleted(api: Any, name: str) -> None:
    made = widget(api, name)

    read = api("unstable.dashboard_widgets.get", widget_id=made.id)
    assert (read.name, read.description, read.view, read.chart_type) == (
        name, "what costs", "observations", "HORIZONTAL_BAR",
    )  # fmt: skip
    assert [(each.measure, each.agg) for each in read.metrics] == [("totalCost", "sum")]
    changed = api("unstable.dashboard_widgets.update", widget_id=made.id, name=f"{name}-b")
    assert (changed.name, changed.description) == (f"{name}-b", "what costs")
    assert made.id in [each.id for each in api("unstable.dashboard_widgets.list", limit=100).data]
    assert api("unstable.dashboard_widgets.delete", widget_id=made.id).message
    assert made.id not in [each.id for each in api("unstable.dashboard_widgets.list", limit=100).data]


def test_a_dashboard_holds_widgets_where_they_are_placed(api: Any, name: str) -> None:
    shown = widget(api, name)
    made = api("unstable.dashboards.create", name=name, description="money")
    at = {"dashboard_id": made.id}

    placed = api(
        "unstable.dashboards.add_placement", type="widget", widget_id=shown.id, x=0, y=0, width=6, height=4, **at
    )

    moved = api("unstable.dashboards.update_placement", placement_id=placed.id, x=6, **at)
    assert (moved.widget_id, moved.x, moved.width) == (shown.id, 6, 6)
    (only,) = api("unstable.dashboards.get", **at).definition.widgets
    assert (only.id, only.widget_id, only.x, only.height) == (placed.id, shown.id, 6, 4)
    assert api("unstable.dashboards.update", name=f"{name}-b", **at).name == f"{name}-b"
    assert made.id in [each.id for each in api("unstable.dashboards.list", limit=100).data]
    api("unstable.dashboards.delete_placement", placement_id=placed.id, **at)
    assert api("unstable.dashboards.get", **at).definition.widgets == []
    assert api("unstable.dashboards.delete", **at).message

"""Dashboards, their placements and widgets through the API."""

from typing import Any

import pytest

from heliograph.domain.managed_dashboards import MANAGED_DASHBOARDS, MANAGED_WIDGETS
from storage.clickhouse.metrics.widgets import checked_widget
from storage.postgres.audit_log import AuditLog
from storage.postgres.dashboard_widgets import Widgets
from storage.postgres.dashboards import Dashboards
from storage.postgres.projects import Projects
from tests.integration.api.conftest import Api

WIDGET = {
    "name": "Dear models",
    "description": "what costs",
    "view": "observations",
    "dimensions": [{"field": "providedModelName"}],
    "metrics": [{"measure": "totalCost", "agg": "sum"}],
    "filters": [{"type": "string", "column": "environment", "operator": "=", "value": "production"}],
    "chartType": "HORIZONTAL_BAR",
    "chartConfig": {"type": "HORIZONTAL_BAR", "row_limit": 12},
}
MANAGED = next(iter(MANAGED_WIDGETS))


async def sent(api: Api, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
    got = await api.client.request(method, f"/unstable/{path}", json=body)
    assert got.status_code == status, got.text
    return got.json()


async def widget(api: Api, **changes: Any) -> dict[str, Any]:
    return dict(await sent(api, "POST", "dashboard-widgets", WIDGET | changes))


async def dashboard(api: Api, **parts: Any) -> dict[str, Any]:
    return dict(await sent(api, "POST", "dashboards", {"name": "Money", **parts}))


async def test_a_widget_is_kept_as_it_was_declared(api: Api) -> None:
    made = await widget(api)
    assert {key: made[key] for key in WIDGET} == WIDGET
    assert made["minVersion"] == 2
    assert await sent(api, "GET", f"dashboard-widgets/{made['id']}") == made
    changed = await sent(api, "PATCH", f"dashboard-widgets/{made['id']}", {"name": "Dearest"})
    assert changed == made | {"name": "Dearest", "updatedAt": changed["updatedAt"]}
    await sent(api, "DELETE", f"dashboard-widgets/{made['id']}")
    await sent(api, "GET", f"dashboard-widgets/{made['id']}", status=404)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"view": "users"}, "view"),
        ({"name": ""}, "name"),
        ({"metrics": []}, "metrics"),
        ({"metrics": [{"measure": "beauty", "agg": "sum"}]}, "there is no 'beauty'"),
        ({"metrics": [{"measure": "totalCost", "agg": "most"}]}, "agg"),
        ({"dimensions": [{"field": "colour"}]}, "there is no 'colour'"),
        ({"dimensions": [{"field": "name"}, {"field": "type"}]}, "1 dimensions at most"),
        ({"chartType": "NUMBER"}, "0 dimensions at most"),
        ({"chartType": "PIVOT_TABLE", "dimensions": []}, "one dimension at least"),
        ({"chartType": "RADAR"}, "chartType"),
        ({"metrics": [{"measure": "latency", "agg": "histogram"}]}, "belong together"),
        ({"chartConfig": {"row_limit": 5_000}}, "row_limit"),
        ({"filters": [{"type": "string", "column": "colour", "operator": "=", "value": ""}]}, "colour"),
        ({"view": "ingestion"}, "lane"),
    ],
)
async def test_a_widget_that_cannot_be_drawn_is_refused(api: Api, wrong: dict[str, Any], said: str) -> None:
    assert said in str(await sent(api, "POST", "dashboard-widgets", WIDGET | wrong, status=400))


async def test_a_change_that_leaves_a_widget_undrawable_is_refused(api: Api) -> None:
    made = await widget(api)
    refused = await sent(api, "PATCH", f"dashboard-widgets/{made['id']}", {"chartType": "NUMBER"}, status=400)
    assert "0 dimensions at most" in refused["message"]
    await sent(api, "PATCH", f"dashboard-widgets/{made['id']}", {}, status=400)


async def test_a_dashboard_holds_widgets_that_are_moved_and_removed(api: Api) -> None:
    shown, filters = await widget(api), WIDGET["filters"]
    made = await dashboard(api, description="who pays", filters=filters)
    assert (made["definition"], made["filters"]) == ({"widgets": []}, filters)
    place = f"dashboards/{made['id']}/placements"
    first = await sent(api, "POST", place, {"type": "widget", "id": "a", "widgetId": shown["id"], "height": 3})
    assert first == {
        "type": "widget", "id": "a", "widgetId": shown["id"], "x": 0, "y": 0, "width": 6, "height": 3
    }  # fmt: skip
    second = await sent(api, "POST", place, {"type": "preset", "presetId": MANAGED})
    assert (second["presetId"], second["y"], second["height"]) == (MANAGED, 3, 6)
    assert (await sent(api, "PATCH", f"{place}/a", {"x": 4})) == first | {"x": 4}
    await sent(api, "DELETE", f"{place}/{second['id']}")
    assert (await sent(api, "GET", f"dashboards/{made['id']}"))["definition"]["widgets"] == [first | {"x": 4}]


async def test_what_cannot_stand_on_a_dashboard_is_refused(api: Api) -> None:
    shown, made = await widget(api), await dashboard(api)
    place = f"dashboards/{made['id']}/placements"
    one = {"type": "widget", "id": "a", "widgetId": shown["id"]}
    await sent(api, "POST", place, one)
    await sent(api, "POST", place, one, status=409)
    await sent(api, "POST", place, {"type": "widget", "widgetId": "missing"}, status=404)
    await sent(api, "POST", place, {"type": "preset", "presetId": shown["id"]}, status=404)
    await sent(api, "POST", place, {"type": "preset", "widgetId": shown["id"]}, status=400)
    await sent(api, "POST", place, one | {"id": "b", "x": -1}, status=400)
    await sent(api, "PATCH", f"{place}/missing", {"x": 4}, status=404)
    await sent(api, "PATCH", f"{place}/a", {"width": 0}, status=400)
    await sent(api, "PATCH", f"{place}/a", {}, status=400)
    twice = [one | {"x": 0, "y": y, "width": 4, "height": 3} for y in (0, 3)]
    await sent(api, "POST", "dashboards", {"name": "x", "definition": {"widgets": twice}}, status=400)
    await sent(api, "POST", "dashboards", {"name": ""}, status=400)


async def test_a_widget_is_not_removed_while_a_dashboard_shows_it(api: Api) -> None:
    shown = await widget(api)
    placed = {"type": "widget", "id": "a", "widgetId": shown["id"], "x": 0, "y": 0, "width": 4, "height": 3}
    made = await dashboard(api, definition={"widgets": [placed]})
    refused = await sent(api, "DELETE", f"dashboard-widgets/{shown['id']}", status=409)
    assert "'Money'" in refused["message"]
    changed = await sent(api, "PATCH", f"dashboards/{made['id']}", {"name": "Cash", "definition": {"widgets": []}})
    assert (changed["name"], changed["definition"]["widgets"]) == ("Cash", [])
    await sent(api, "DELETE", f"dashboard-widgets/{shown['id']}")
    assert await sent(api, "DELETE", f"dashboards/{made['id']}") == {"message": "Dashboard successfully deleted"}
    await sent(api, "DELETE", f"dashboards/{made['id']}", status=404)


async def test_lists_are_paged_and_leave_out_what_is_managed(api: Api) -> None:
    names = [f"board {number}" for number in range(3)]
    for name in names:
        await dashboard(api, name=name)
        await widget(api, name=name)
    for path in ("dashboards", "dashboard-widgets"):
        pages = [await sent(api, "GET", f"{path}?page={page}&limit=2") for page in (1, 2)]
        assert [each["name"] for page in pages for each in page["data"]] == names[::-1]
        assert pages[0]["meta"] == {"page": 1, "limit": 2, "totalItems": 3, "totalPages": 2}
    await sent(api, "GET", f"dashboards/{next(iter(MANAGED_DASHBOARDS))}", status=404)
    await sent(api, "PATCH", f"dashboard-widgets/{MANAGED}", {"name": "mine"}, status=404)


async def test_other_projects_see_and_place_none_of_it(api: Api) -> None:
    other = await Projects(api.database).create("other")
    foreign = await Widgets(api.database, other.id).create(next(iter(MANAGED_WIDGETS.values())).definition)
    board = await Dashboards(api.database, other.id).duplicate(next(iter(MANAGED_DASHBOARDS)), "theirs")
    mine = await dashboard(api)
    await sent(api, "GET", f"dashboard-widgets/{foreign.id}", status=404)
    await sent(api, "GET", f"dashboards/{board.id}", status=404)
    await sent(api, "DELETE", f"dashboards/{board.id}", status=404)
    placed = {"type": "widget", "widgetId": foreign.id}
    await sent(api, "POST", f"dashboards/{mine['id']}/placements", placed, status=404)


async def test_every_change_is_audited(api: Api) -> None:
    shown, made = await widget(api), await dashboard(api)
    await sent(api, "POST", f"dashboards/{made['id']}/placements", {"type": "widget", "widgetId": shown["id"]})
    await sent(api, "DELETE", f"dashboards/{made['id']}")
    log = AuditLog(api.database)
    changes = await log.latest(9, project_id=api.project.id, resource_type="dashboard")
    assert [each.action for each in changes] == ["delete", "update", "create"]
    assert changes[1].after["placements"][0]["widget_id"] == shown["id"]
    (created,) = await log.latest(9, project_id=api.project.id, resource_type="dashboardWidget")
    assert created.after["definition"]["name"] == "Dear models"


@pytest.mark.parametrize("managed", MANAGED_DASHBOARDS.values(), ids=lambda each: each.name)
async def test_managed_dashboards_can_be_asked_and_copied(api: Api, managed: Any) -> None:
    copy = await Dashboards(api.database, api.project.id).duplicate(managed.id, "Mine")
    widgets = await Widgets(api.database, api.project.id).of([each.widget_id for each in copy.placements])
    assert len(widgets) == len(copy.placements) == len(managed.placements)
    for theirs, ours in zip(managed.placements, copy.placements, strict=True):
        assert (ours.x, ours.y, ours.width, ours.height) == (theirs.x, theirs.y, theirs.width, theirs.height)
        definition = checked_widget(widgets[ours.widget_id].definition)
        assert definition == MANAGED_WIDGETS[theirs.widget_id].definition
        assert widgets[ours.widget_id].project_id == api.project.id

"""Widgets of dashboards: what each asks, and how it is drawn."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.parameters import Paged, Text
from serve_apps.api.shapes.dashboard_widgets import WidgetBody, WidgetChanges, WidgetShape, widget_shape
from serve_apps.api.shapes.lists import PageOf, Told
from serve_apps.authentication import ProjectPrincipal
from storage.clickhouse.metrics.widgets import checked_widget
from storage.postgres.dashboard_widgets import Widgets

router = APIRouter(prefix="/unstable/dashboard-widgets", tags=["dashboards"])


async def _widgets(dependencies: Dependencies, principal: ProjectPrincipal) -> Widgets:
    return Widgets(dependencies.database, principal.project_id)


ProjectWidgets = Annotated[Widgets, Depends(_widgets)]


@router.get("")
async def list_widgets(asked: Annotated[Paged, Query()], widgets: ProjectWidgets) -> Answer[PageOf[WidgetShape]]:
    """One page of the project's own widgets, the last changed first."""
    found, total = await widgets.page(asked.asked_page)
    return page_answer(list(map(widget_shape, found)), asked.asked_page, total)


@router.post("")
async def create_widget(body: WidgetBody, widgets: ProjectWidgets) -> Answer[WidgetShape]:
    """Create a widget; what it asks is held against the language of metrics."""
    return answer(widget_shape(await widgets.create(checked_widget(body.definition))))


@router.get("/{widget_id}")
async def get_widget(widget_id: Text, widgets: ProjectWidgets) -> Answer[WidgetShape]:
    """One widget."""
    return answer(widget_shape(await widgets.get(widget_id)))


@router.patch("/{widget_id}")
async def change_widget(widget_id: Text, body: WidgetChanges, widgets: ProjectWidgets) -> Answer[WidgetShape]:
    """Change what a widget asks or how it is drawn, on every dashboard that shows it."""
    before = await widgets.get(widget_id)
    changed = checked_widget(body.changed(before.definition))
    return answer(widget_shape(await widgets.change(widget_id, changed)))


@router.delete("/{widget_id}")
async def delete_widget(widget_id: Text, widgets: ProjectWidgets) -> Answer[Told]:
    """Remove a widget: 409 while a dashboard shows it."""
    await widgets.delete(widget_id)
    return answer({"message": "Dashboard widget successfully deleted"})

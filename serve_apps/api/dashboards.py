"""Dashboards, and where their widgets stand; those that come with Heliograph are copied in the browser."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from heliograph.domain.dashboards import below
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.parameters import Paged, Text
from serve_apps.api.shapes.dashboards import (
    DashboardBody,
    DashboardChanges,
    DashboardShape,
    PlacementBody,
    PlacementShape,
    PositionChanges,
    dashboard_shape,
    placement_shape,
)
from serve_apps.api.shapes.lists import PageOf, Told
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.dashboards import Dashboards
from storage.postgres.tables.declarative import fresh_id

router = APIRouter(prefix="/unstable/dashboards", tags=["dashboards"])


async def _dashboards(dependencies: Dependencies, principal: ProjectPrincipal) -> Dashboards:
    return Dashboards(dependencies.database, principal.project_id)


ProjectDashboards = Annotated[Dashboards, Depends(_dashboards)]


@router.get("")
async def list_dashboards(
    asked: Annotated[Paged, Query()], dashboards: ProjectDashboards
) -> Answer[PageOf[DashboardShape]]:
    """One page of the project's own dashboards, the last changed first."""
    found, total = await dashboards.page(asked.asked_page)
    return page_answer(list(map(dashboard_shape, found)), asked.asked_page, total)


@router.post("")
async def create_dashboard(body: DashboardBody, dashboards: ProjectDashboards) -> Answer[DashboardShape]:
    """Create a dashboard of widgets that exist."""
    return answer(dashboard_shape(await dashboards.create(body.dashboard)))


@router.get("/{dashboard_id}")
async def get_dashboard(dashboard_id: Text, dashboards: ProjectDashboards) -> Answer[DashboardShape]:
    """One dashboard."""
    return answer(dashboard_shape(await dashboards.get(dashboard_id)))


@router.patch("/{dashboard_id}")
async def change_dashboard(
    dashboard_id: Text, body: DashboardChanges, dashboards: ProjectDashboards
) -> Answer[DashboardShape]:
    """Change a dashboard; a definition takes the place of the earlier one as a whole."""
    return answer(dashboard_shape(await dashboards.change(dashboard_id, **body.changes)))


@router.delete("/{dashboard_id}")
async def delete_dashboard(dashboard_id: Text, dashboards: ProjectDashboards) -> Answer[Told]:
    """Remove a dashboard; its widgets stay."""
    await dashboards.delete(dashboard_id)
    return answer({"message": "Dashboard successfully deleted"})


@router.post("/{dashboard_id}/placements")
async def place_widget(
    dashboard_id: Text, body: PlacementBody, dashboards: ProjectDashboards
) -> Answer[PlacementShape]:
    """Put a widget on a dashboard: 409 when it has a placement of this id."""
    known = await dashboards.get(dashboard_id)
    placement = body.placement(fresh_id(), below(known.placements))
    return answer(placement_shape(await dashboards.place(dashboard_id, placement)))


@router.patch("/{dashboard_id}/placements/{placement_id}")
async def move_placement(
    dashboard_id: Text, placement_id: Text, *, body: PositionChanges, dashboards: ProjectDashboards
) -> Answer[PlacementShape]:
    """Move or resize what stands on a dashboard."""
    return answer(placement_shape(await dashboards.move(dashboard_id, placement_id, **body.given())))


@router.delete("/{dashboard_id}/placements/{placement_id}")
async def remove_placement(dashboard_id: Text, placement_id: Text, dashboards: ProjectDashboards) -> Answer[Told]:
    """Take a widget off a dashboard; it stays."""
    await dashboards.remove(dashboard_id, placement_id)
    return answer({"message": "Placement successfully deleted"})

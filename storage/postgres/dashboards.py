"""Dashboards of projects, and where their widgets stand."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, TypeAdapter
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain import dashboards
from heliograph.domain.dashboards import Dashboard, NewDashboard, Placement, PlacementType
from heliograph.domain.errors import Conflict
from heliograph.domain.filters import Condition, Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.managed_dashboards import MANAGED_DASHBOARDS, MANAGED_WIDGETS
from heliograph.domain.not_found import DashboardNotFound, PlacementNotFound, WidgetNotFound
from storage.postgres.connection import Database
from storage.postgres.dashboard_widgets import document_of
from storage.postgres.tables.dashboards import DashboardRow, WidgetRow
from storage.postgres.tables.declarative import fresh_id

_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)


class Dashboards:
    """The dashboards of one project; managed ones are read and copied only."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._own = DashboardRow.project_id == project_id
        self._project_id = project_id

    async def page(self, page: Page) -> tuple[list[Dashboard], int]:
        """Return one page of the project's own, the last changed first, and how many there are."""
        count = select(func.count()).select_from(DashboardRow).where(self._own)
        order = (DashboardRow.updated_at.desc(), DashboardRow.id.desc())
        query = select(DashboardRow).where(self._own).order_by(*order).limit(page.size).offset(page.offset)
        async with self._database.transaction() as session:
            total = await session.scalar(count)
            return [_dashboard(row) for row in await session.scalars(query)], total or 0

    async def get(self, dashboard_id: str) -> Dashboard:
        """Return one of the project's own; raises DashboardNotFound."""
        async with self._database.transaction() as session:
            return _dashboard(await self._row(session, dashboard_id))

    async def create(self, new: NewDashboard) -> Dashboard:
        """Keep a dashboard under an id of its own; raises InvalidRequest and WidgetNotFound."""
        async with self._database.transaction() as session:
            return await self._created(session, new)

    async def change(self, dashboard_id: str, **changes: Any) -> Dashboard:
        """Give these fields other values; raises DashboardNotFound, InvalidRequest and WidgetNotFound."""
        async with self._database.transaction() as session:
            row = await self._row(session, dashboard_id, is_locked=True)
            return await self._changed(session, row, replace(_dashboard(row), **changes))

    async def delete(self, dashboard_id: str) -> None:
        """Remove a dashboard; its widgets stay. Raises DashboardNotFound."""
        async with self._database.transaction() as session:
            await session.delete(await self._row(session, dashboard_id, is_locked=True))

    async def duplicate(self, dashboard_id: str, name: str) -> Dashboard:
        """Copy a dashboard, a managed one too, with widgets of its own; raises DashboardNotFound."""
        async with self._database.transaction() as session:
            managed = MANAGED_DASHBOARDS.get(dashboard_id)
            copied = managed or _dashboard(await self._row(session, dashboard_id))
            placements = [await self._copied(session, placement) for placement in copied.placements]
            new = NewDashboard(
                name=name,
                description=copied.description,
                placements=tuple(filter(None, placements)),
                filters=copied.filters,
            )
            return await self._created(session, new)

    async def place(self, dashboard_id: str, placement: Placement) -> Placement:
        """Put a widget on a dashboard.

        Raises:
            DashboardNotFound: the project has none of that id.
            WidgetNotFound: neither has it such a widget, nor is there a managed one.
            Conflict: a placement has this id already.
        """
        async with self._database.transaction() as session:
            row = await self._row(session, dashboard_id, is_locked=True)
            before = _dashboard(row)
            if any(each.id == placement.id for each in before.placements):
                raise Conflict("id", f"{placement.id!r} is a placement of this dashboard already")
            await self._changed(session, row, replace(before, placements=(*before.placements, placement)))
            return placement

    async def move(self, dashboard_id: str, placement_id: str, **position: int) -> Placement:
        """Change where a widget stands, and how large it is; raises DashboardNotFound and PlacementNotFound."""
        async with self._database.transaction() as session:
            row = await self._row(session, dashboard_id, is_locked=True)
            before = _dashboard(row)
            moved = _placement(before, placement_id).model_copy(update=position)
            placements = tuple(moved if each.id == placement_id else each for each in before.placements)
            await self._changed(session, row, replace(before, placements=placements))
            return moved

    async def remove(self, dashboard_id: str, placement_id: str) -> Placement:
        """Take a widget off a dashboard; it stays. Raises DashboardNotFound and PlacementNotFound."""
        async with self._database.transaction() as session:
            row = await self._row(session, dashboard_id, is_locked=True)
            before = _dashboard(row)
            removed = _placement(before, placement_id)
            placements = tuple(each for each in before.placements if each.id != placement_id)
            await self._changed(session, row, replace(before, placements=placements))
            return removed

    async def _created(self, session: AsyncSession, new: NewDashboard) -> Dashboard:
        await self._check(session, new)
        row = DashboardRow(project_id=self._project_id, **_values(new))
        session.add(row)
        await session.flush()
        await session.refresh(row)
        return _dashboard(row)

    async def _changed(self, session: AsyncSession, row: DashboardRow, wanted: Dashboard) -> Dashboard:
        await self._check(session, wanted)
        for name, value in _values(wanted).items():
            setattr(row, name, value)
        row.updated_at = func.now()
        await session.flush()
        await session.refresh(row)
        return _dashboard(row)

    async def _check(self, session: AsyncSession, new: NewDashboard) -> None:
        dashboards.check(new)
        for preset in (each for each in new.placements if each.type is PlacementType.PRESET):
            if preset.widget_id not in MANAGED_WIDGETS:
                raise WidgetNotFound(preset.widget_id)
        wanted = {each.widget_id for each in new.placements} - MANAGED_WIDGETS.keys()
        # Locked against removal until the placement is stored.
        rows = select(WidgetRow.id).where(WidgetRow.project_id == self._project_id, WidgetRow.id.in_(wanted))
        known = set(await session.scalars(rows.order_by(WidgetRow.id).with_for_update(read=True))) if wanted else set()
        for missing in sorted(wanted - known):
            raise WidgetNotFound(missing)

    async def _copied(self, session: AsyncSession, placement: Placement) -> Placement | None:
        """The placement of a copy of its widget; None when that is gone."""
        managed = MANAGED_WIDGETS.get(placement.widget_id)
        of_project = WidgetRow.project_id == self._project_id
        own = select(WidgetRow.definition).where(of_project, WidgetRow.id == placement.widget_id)
        document = document_of(managed.definition) if managed else await session.scalar(own)
        if document is None:
            return None
        row = WidgetRow(id=fresh_id(), project_id=self._project_id, definition=document)
        session.add(row)
        await session.flush()
        return placement.model_copy(update={"widget_id": row.id, "type": PlacementType.WIDGET})

    async def _row(self, session: AsyncSession, dashboard_id: str, *, is_locked: bool = False) -> DashboardRow:
        query = select(DashboardRow).where(self._own, DashboardRow.id == dashboard_id)
        row = await session.scalar(query.with_for_update() if is_locked else query)
        if row is None:
            raise DashboardNotFound(dashboard_id)
        return row


def _placement(dashboard: Dashboard, placement_id: str) -> Placement:
    found = next((each for each in dashboard.placements if each.id == placement_id), None)
    if found is None:
        raise PlacementNotFound(placement_id)
    return found


def _values(dashboard: NewDashboard) -> dict[str, Any]:
    return {
        "name": dashboard.name,
        "description": dashboard.description,
        "placements": _documents(dashboard.placements),
        "filters": _documents(dashboard.filters),
    }


def _documents(parts: Sequence[BaseModel]) -> list[dict[str, Any]]:
    return [part.model_dump(mode="json") for part in parts]


def _dashboard(row: DashboardRow) -> Dashboard:
    return Dashboard(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        description=row.description,
        placements=tuple(map(Placement.model_validate, row.placements)),
        filters=tuple(map(_CONDITION.validate_python, row.filters)),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

"""Widgets of projects."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from heliograph.domain.dashboards import Widget
from heliograph.domain.errors import Conflict
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.managed_dashboards import MANAGED_WIDGETS
from heliograph.domain.not_found import WidgetNotFound
from heliograph.domain.widgets import WidgetDefinition
from storage.postgres.connection import Database
from storage.postgres.tables.dashboards import DashboardRow, WidgetRow


class Widgets:
    """The widgets of one project. Whether what they ask exists is checked before: see `checked_widget`."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._own = WidgetRow.project_id == project_id
        self._project_id = project_id

    async def page(self, page: Page) -> tuple[list[Widget], int]:
        """Return one page, the last changed first, and how many there are."""
        count = select(func.count()).select_from(WidgetRow).where(self._own)
        order = (WidgetRow.updated_at.desc(), WidgetRow.id.desc())
        query = select(WidgetRow).where(self._own).order_by(*order).limit(page.size).offset(page.offset)
        async with self._database.transaction() as session:
            total = await session.scalar(count)
            return [_widget(row) for row in await session.scalars(query)], total or 0

    async def get(self, widget_id: str) -> Widget:
        """Return one widget of the project; raises WidgetNotFound."""
        async with self._database.transaction() as session:
            return _widget(await self._row(session, widget_id))

    async def of(self, widget_ids: Collection[str]) -> dict[str, Widget]:
        """Return those of these that exist, managed ones too, by id."""
        query = select(WidgetRow).where(self._own, WidgetRow.id.in_(set(widget_ids)))
        async with self._database.transaction() as session:
            own = {row.id: _widget(row) for row in await session.scalars(query)}
        return own | {each: MANAGED_WIDGETS[each] for each in widget_ids if each in MANAGED_WIDGETS}

    async def create(self, definition: WidgetDefinition) -> Widget:
        """Keep a widget under an id of its own."""
        row = WidgetRow(project_id=self._project_id, definition=document_of(definition))
        async with self._database.transaction() as session:
            session.add(row)
            await session.flush()
            await session.refresh(row)
            return _widget(row)

    async def change(self, widget_id: str, definition: WidgetDefinition) -> Widget:
        """Let a widget ask and draw something else; raises WidgetNotFound."""
        async with self._database.transaction() as session:
            row = await self._row(session, widget_id, is_locked=True)
            row.definition = document_of(definition)
            row.updated_at = func.now()
            await session.flush()
            await session.refresh(row)
            return _widget(row)

    async def delete(self, widget_id: str) -> None:
        """Remove a widget; raises WidgetNotFound, and Conflict while a dashboard shows it."""
        dashboards = select(DashboardRow).where(DashboardRow.project_id == self._project_id)
        async with self._database.transaction() as session:
            # Whoever places the widget holds its row until that has happened.
            row = await self._row(session, widget_id, is_locked=True)
            for dashboard in await session.scalars(dashboards):
                if any(placement["widget_id"] == widget_id for placement in dashboard.placements):
                    raise Conflict("widgetId", f"the dashboard {dashboard.name!r} shows it: remove it there first")
            await session.delete(row)

    async def _row(self, session: AsyncSession, widget_id: str, *, is_locked: bool = False) -> WidgetRow:
        query = select(WidgetRow).where(self._own, WidgetRow.id == widget_id)
        row = await session.scalar(query.with_for_update() if is_locked else query)
        if row is None:
            raise WidgetNotFound(widget_id)
        return row


def document_of(definition: WidgetDefinition) -> dict[str, object]:
    """What is stored of a widget."""
    return definition.model_dump(mode="json", by_alias=True, exclude_none=True)


def _widget(row: WidgetRow) -> Widget:
    return Widget(
        id=row.id,
        project_id=row.project_id,
        definition=WidgetDefinition.model_validate(row.definition),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )

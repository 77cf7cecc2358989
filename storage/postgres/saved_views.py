"""Views of tables that are kept for a project."""

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from heliograph.domain.identifiers import ProjectId, UserId
from heliograph.domain.not_found import SavedViewNotFound
from heliograph.domain.saved_views import NewView, SavedView
from storage.postgres.connection import Database
from storage.postgres.tables.declarative import fresh_id
from storage.postgres.tables.saved_views import SavedViewRow


class SavedViews:
    """The saved views of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._database = database
        self._project_id = project_id
        self._own = SavedViewRow.project_id == project_id

    async def of(self, page: str) -> list[SavedView]:
        """Return the views of a page, by name."""
        query = select(SavedViewRow).where(self._own, SavedViewRow.page == page).order_by(SavedViewRow.name)
        async with self._database.transaction() as session:
            return [_view(row) for row in await session.scalars(query)]

    async def put(self, view: NewView, author: UserId) -> SavedView:
        """Keep a view in place of the one of that name on its page."""
        putting = insert(SavedViewRow).values(
            id=fresh_id(), project_id=self._project_id, author_user_id=author, **view.model_dump()
        )
        putting = putting.on_conflict_do_update(
            index_elements=["project_id", "page", "name"], set_={"query": view.query, "updated_at": func.now()}
        )
        async with self._database.transaction() as session:
            return _view((await session.scalars(putting.returning(SavedViewRow))).one())

    async def remove(self, view_id: str) -> None:
        """Remove a view; raises SavedViewNotFound."""
        removing = delete(SavedViewRow).where(self._own, SavedViewRow.id == view_id).returning(SavedViewRow.id)
        async with self._database.transaction() as session:
            if await session.scalar(removing) is None:
                raise SavedViewNotFound(view_id)


def _view(row: SavedViewRow) -> SavedView:
    return SavedView(id=row.id, page=row.page, name=row.name, query=row.query, author_user_id=row.author_user_id)

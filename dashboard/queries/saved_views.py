"""What the pages ask about saved views."""

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.saved_views import SavedView
from storage.postgres.connection import Database
from storage.postgres.saved_views import SavedViews


class ViewQueries:
    """The questions about the saved views of one project."""

    def __init__(self, database: Database, project_id: ProjectId) -> None:
        self._views = SavedViews(database, project_id)

    async def of(self, page: str) -> list[SavedView]:
        """The views of a page, by name."""
        return await self._views.of(page)

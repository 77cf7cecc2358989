"""What people change of the saved views of tables."""

from dashboard.mandate import Mandate
from heliograph.domain.saved_views import NewView, SavedView
from heliograph.domain.validation import requested
from storage.postgres.connection import Database
from storage.postgres.saved_views import SavedViews

VIEWS = "TableViewPresets:CUD"


class ViewChanges:
    """The changes of the saved views of one project; each raises RoleInsufficient when the role lacks the scope."""

    def __init__(self, database: Database, mandate: Mandate) -> None:
        self._views = SavedViews(database, mandate.project.id)
        self._mandate = mandate

    async def keep(self, page: str, name: str, query: str) -> SavedView:
        """Keep a view in place of the one of that name on its page; raises InvalidRequest."""
        await self._mandate.act(VIEWS)
        with requested("view"):
            view = NewView(page=page, name=name, query=query)
        return await self._views.put(view, self._mandate.user.id)

    async def remove(self, view_id: str) -> None:
        """Remove a view; raises SavedViewNotFound."""
        await self._mandate.act(VIEWS)
        await self._views.remove(view_id)

"""What the pages ask about sessions and users."""

from dashboard.filter_text import conditions_of
from dashboard.queries.periods import of_traces
from dashboard.queries.traces import Listed
from dashboard.state import FilteredList, Scope
from heliograph.domain.filters import Expression, Order, Page, TextCondition, equals
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.not_found import SessionNotFound
from storage.clickhouse.activity import Activity
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.traces import Traces

MAX_TURNS = 100
_ORDERS = {
    "last_at": "lastAt", "first_at": "firstAt", "trace_count": "traceCount", "errors": "errorCount",
    "tokens": "totalTokens", "cost": "totalCost",
}  # fmt: skip


class ActivityQueries:
    """The questions about the sessions and the users of one project."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._activity = Activity(clickhouse, project_id)
        self._traces = Traces(clickhouse, project_id)

    async def sessions(self, scope: Scope, wanted: FilteredList) -> Listed:
        """The wanted page of the sessions with traces in the period."""
        conditions = _asked(scope, wanted, "sessionId")
        return Listed(*await self._activity.sessions(conditions, Page(wanted.page, wanted.size), _order(wanted)))

    async def users(self, scope: Scope, wanted: FilteredList) -> Listed:
        """The wanted page of the users with traces in the period."""
        conditions = _asked(scope, wanted, "userId")
        return Listed(*await self._activity.users(conditions, Page(wanted.page, wanted.size), _order(wanted)))

    async def turns(self, session_id: str) -> Listed:
        """The first traces of a session with their input and output, the oldest first; how many it has.

        Raises:
            SessionNotFound: no trace names it.
        """
        conditions = [equals("sessionId", session_id)]
        oldest = Order("timestamp", is_descending=False)
        found, total = await self._traces.search_and_count(conditions, Page(size=MAX_TURNS), oldest)
        if not total:
            raise SessionNotFound(session_id)
        return Listed(await self._traces.with_payloads(found), total)


def _asked(scope: Scope, wanted: FilteredList, column: str) -> list[Expression]:
    """What the traces of a group must be; raises InvalidRequest."""
    named = TextCondition(type="string", column=column, operator="contains", value=wanted.named)
    return [*of_traces(scope), *([named] if wanted.named else []), *conditions_of(wanted.filter)]


def _order(wanted: FilteredList) -> Order:
    return Order(_ORDERS[wanted.sort], is_descending=wanted.order == "desc")

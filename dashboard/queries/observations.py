"""What the pages ask about observations beyond those of one trace."""

from dashboard.filter_text import conditions_of
from dashboard.queries.periods import of_observations
from dashboard.queries.traces import Listed
from dashboard.state import ObservationList, Scope
from heliograph.domain.filters import Expression, Order, Page, TextCondition, equals
from heliograph.domain.identifiers import ProjectId
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.observations import ROW, Observations

# The sortable columns of the table, by the readers' names for them.
_ORDERS = {
    "start_time": "startTime", "name": "name", "type": "type", "latency": "latency", "total_tokens": "totalTokens",
    "total_cost": "totalCost",
}  # fmt: skip


class ObservationQueries:
    """The questions about the observations of one project."""

    def __init__(self, clickhouse: ClickHouse, project_id: ProjectId) -> None:
        self._observations = Observations(clickhouse, project_id)

    async def page(self, scope: Scope, wanted: ObservationList) -> Listed:
        """The wanted page of the list of observations, with previews of input and output."""
        order = Order(_ORDERS[wanted.sort], is_descending=wanted.order == "desc")
        page = Page(wanted.page, wanted.size)
        found = await self._observations.search_and_count(
            observation_conditions(scope, wanted), page, order, columns=ROW
        )
        return Listed(*found)


def observation_conditions(scope: Scope, wanted: ObservationList) -> list[Expression]:
    """The filters of the table in the readers' language, empty ones left out; raises InvalidRequest."""
    contained = {"name": wanted.named, "promptName": wanted.prompt}
    exact = {"type": wanted.type, "level": wanted.level}
    return [
        *of_observations(scope),
        *(
            TextCondition(type="string", column=column, operator="contains", value=text)
            for column, text in contained.items()
            if text
        ),
        *(equals(column, text) for column, text in exact.items() if text),
        *conditions_of(wanted.filter),
    ]

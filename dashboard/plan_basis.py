"""On what evaluations of a project are planned: its rows, its prices, and the connections that its judges have."""

from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.llm_connections import Adapter
from ingestion.pricing import PriceBook
from ingestion.project_prices import ProjectPrices
from pipelines.evaluation_plan import PlanStores
from pipelines.target_trees import TargetTrees
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.selections import Selections
from storage.clickhouse.streams import ArrowStreams
from storage.clickhouse.traces import Traces
from storage.postgres.connection import Database
from storage.postgres.llm_connections import LlmConnections
from storage.postgres.models import AllModels
from storage.seal import Seal

_ALL_CONNECTIONS = Page(size=1_000)


class PlanBasis:
    """What plans of one project look at."""

    def __init__(self, clickhouse: ClickHouse, database: Database, project_id: ProjectId, *, seal: Seal) -> None:
        self._project_id = project_id
        self.connections = LlmConnections(database, project_id, seal)
        selections = Selections(clickhouse, ArrowStreams(clickhouse), project_id)
        self.stores = PlanStores(selections, Traces(clickhouse, project_id), TargetTrees(clickhouse, project_id))
        self._prices = ProjectPrices(AllModels(database))

    async def prices(self) -> PriceBook:
        """What models cost now."""
        await self._prices.refresh()
        return self._prices.of(self._project_id)

    async def adapters(self) -> dict[str, Adapter]:
        """The protocols of the project's connections, by provider."""
        found, _ = await self.connections.page(_ALL_CONNECTIONS)
        return {connection.provider: connection.adapter for connection in found}

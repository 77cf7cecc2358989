"""What people change of datasets from the pages: items that come from traces."""

from collections.abc import Sequence

from dashboard.mandate import Mandate
from heliograph.domain.datasets import ItemChange
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.experiments import ReportedItem
from storage.postgres.connection import Database
from storage.postgres.dataset_items import DatasetItems
from storage.postgres.dataset_runs import DatasetRuns

DATASETS, RUNS = "datasets:CUD", "promptExperiments:CUD"


class DatasetChanges:
    """The changes of datasets that one user may make; each raises RoleInsufficient when the role lacks its scope."""

    def __init__(self, database: Database, mandate: Mandate) -> None:
        self._mandate = mandate
        self._items = DatasetItems(database, mandate.project.id)
        self._runs = DatasetRuns(database, mandate.project.id)

    async def add(self, dataset_name: str, items: Sequence[ItemChange]) -> int:
        """Put items into a dataset and return how many.

        Raises:
            DatasetNotFound: there is none of that name.
            InvalidRequest: an item does not fit; the others are in the dataset all the same.
        """
        await self._mandate.act(DATASETS)
        outcomes = await self._items.put(dataset_name, items)
        refused = next((outcome for outcome in outcomes if isinstance(outcome, InvalidRequest)), None)
        if refused is not None:
            raise refused
        return len(outcomes)

    async def report(self, run_name: str, item_id: str, trace_id: str) -> None:
        """Note that an item ran, in the run of that name; raises DatasetItemNotFound."""
        await self._mandate.act(RUNS)
        await self._runs.report(ReportedItem(run_name=run_name, dataset_item_id=item_id, trace_id=trace_id))

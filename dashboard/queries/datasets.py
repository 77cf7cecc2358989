"""What the pages ask about datasets, their items and the runs over them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.state import ListState
from heliograph.domain.datasets import Dataset, DatasetItem, ItemFilter
from heliograph.domain.experiments import DatasetRun
from heliograph.domain.filters import Page
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.plain_rows import plain_rows
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.run_figures import RunFigures
from storage.postgres.connection import Database
from storage.postgres.dataset_items import DatasetItems
from storage.postgres.datasets import Datasets
from storage.runs_of_datasets import RunsOfDataset

# The newest runs are shown with their figures; each needs the traces of its items.
MAX_RUNS = 20
# What a choice of datasets offers.
MAX_NAMES = 100


@dataclass(frozen=True)
class DatasetPage:
    """One page of datasets, the items that each has by its id, and how many datasets there are."""

    datasets: list[Dataset]
    items: Mapping[str, int]
    total: int


@dataclass(frozen=True)
class ItemPage:
    """One page of the items of a dataset as they are now, or were at a moment."""

    items: list[DatasetItem]
    total: int


@dataclass(frozen=True)
class RunResult:
    """A run with what came of it.

    Attributes:
        items: how many items ran.
        figures: traces, errors, cost (US dollars, a trace's mean), latency_ms (mean); empty without traces.
        scores: by name: n, mean, deviation.
    """

    run: DatasetRun
    items: int
    figures: Mapping[str, Any]
    scores: Mapping[str, Mapping[str, Any]]


class DatasetQueries:
    """The questions about the datasets of one project."""

    def __init__(self, clickhouse: ClickHouse, database: Database, project_id: ProjectId) -> None:
        self._clickhouse = clickhouse
        self._database = database
        self._datasets = Datasets(database, project_id)
        self._items = DatasetItems(database, project_id)
        self._figures = RunFigures(clickhouse, project_id)

    async def page(self, wanted: ListState) -> DatasetPage:
        """The wanted page of the datasets, the oldest first."""
        (found, total), counts = await asyncio.gather(
            self._datasets.page(Page(wanted.page, wanted.size)), self._datasets.item_counts()
        )
        return DatasetPage(found, counts, total)

    async def names(self) -> list[str]:
        """The names of the oldest datasets."""
        found, _ = await self._datasets.page(Page(size=MAX_NAMES))
        return [dataset.name for dataset in found]

    async def dataset(self, name: str) -> Dataset:
        """One dataset; raises DatasetNotFound."""
        return await self._datasets.get(name)

    async def items(self, name: str, wanted: ListState, version: datetime | None = None) -> ItemPage:
        """The wanted page of its items."""
        found = await self._items.page(ItemFilter(dataset_name=name, version=version), Page(wanted.page, wanted.size))
        return ItemPage(*found)

    async def item_versions(self, item_id: str) -> list[DatasetItem]:
        """Every version of an item, the newest first; raises DatasetItemNotFound."""
        return await self._items.versions(item_id)

    async def runs(self, dataset: Dataset) -> list[RunResult]:
        """The newest runs over a dataset, the newest first, with what came of them."""
        runs = await RunsOfDataset.read(self._database, self._clickhouse, dataset)
        newest = list(reversed(await runs.all()))[:MAX_RUNS]
        items = await asyncio.gather(*(runs.items(run) for run in newest))
        traces = {
            run.id: sorted({item.trace_id for item in ran if item.trace_id})
            for run, ran in zip(newest, items, strict=True)
        }
        if not traces:
            return []
        figures, scores = await asyncio.gather(self._figures.traces(traces), self._figures.scores(traces))
        told = {row["run_id"]: row for row in plain_rows(figures)}
        scored = list(plain_rows(scores))
        return [
            RunResult(run, len(ran), told.get(run.id, {}), _scores_of(scored, run.id))
            for run, ran in zip(newest, items, strict=True)
        ]


def _scores_of(rows: Sequence[Mapping[str, Any]], run_id: str) -> dict[str, Mapping[str, Any]]:
    return {row["name"]: row for row in rows if row["run_id"] == run_id}

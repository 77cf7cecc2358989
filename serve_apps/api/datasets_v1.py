"""Datasets as the first generation of the API answers them: with their items and the names of their runs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from heliograph.domain.datasets import Dataset, DatasetItem, ItemFilter, ItemStatus
from heliograph.domain.filters import Page
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dataset_items import shapes_with_media
from serve_apps.api.datasets import ProjectDatasets, ProjectItems, put_dataset
from serve_apps.api.dependencies import Dependencies, ProjectFiles, ProjectMediaFiles, QueryDependencies
from serve_apps.api.parameters import Paged, Text
from serve_apps.api.shapes.datasets import (
    DatasetBody,
    DatasetItemShape,
    DatasetShape,
    ListedDatasetV1,
    WholeDatasetV1,
    dataset_shape,
)
from serve_apps.api.shapes.lists import PageOf
from storage.postgres.dataset_items import DatasetItems
from storage.runs_of_datasets import RunsOfDataset

router = APIRouter(tags=["datasets"])

_AT_ONCE = 500


class Contents:
    """What the datasets of a project hold."""

    def __init__(self, items: DatasetItems, files: ProjectFiles, dependencies: QueryDependencies) -> None:
        self._items = items
        self._files = files
        self._dependencies = dependencies

    async def active(self, dataset: Dataset) -> list[DatasetItem]:
        """Every item that is not archived."""
        asked = ItemFilter(dataset_name=dataset.name, status=ItemStatus.ACTIVE)
        found: list[DatasetItem] = []
        while True:
            some, _ = await self._items.page(asked, Page(len(found) // _AT_ONCE + 1, _AT_ONCE))
            found += some
            if len(some) < _AT_ONCE:
                return found

    async def shapes(self, dataset: Dataset) -> list[DatasetItemShape]:
        """Every item that is not archived, as the API shows it."""
        active = await self.active(dataset)
        portions = [active[start : start + _AT_ONCE] for start in range(0, len(active), _AT_ONCE)]
        return [shape for some in portions for shape in await shapes_with_media(some, self._files)]

    async def run_names(self, dataset: Dataset) -> list[str]:
        """The names of the runs over it."""
        database, clickhouse = self._dependencies.database, self._dependencies.clickhouse
        return [run.name for run in await (await RunsOfDataset.read(database, clickhouse, dataset)).all()]


async def _contents(items: ProjectItems, files: ProjectMediaFiles, dependencies: Dependencies) -> Contents:
    return Contents(items, files, dependencies)


ProjectContents = Annotated[Contents, Depends(_contents)]


@router.get("/datasets")
async def list_datasets_with_items(
    asked: Annotated[Paged, Query()], datasets: ProjectDatasets, contents: ProjectContents
) -> Answer[PageOf[ListedDatasetV1]]:
    """One page of the datasets, the oldest first, with the ids of their items and the names of their runs."""
    found, total = await datasets.page(asked.asked_page)
    shapes: list[ListedDatasetV1] = []
    for dataset in found:
        item_ids = [item.id for item in await contents.active(dataset)]
        shapes.append({**dataset_shape(dataset), "items": item_ids, "runs": await contents.run_names(dataset)})
    return page_answer(shapes, asked.asked_page, total)


@router.post("/datasets")
async def put_dataset_with_items(body: DatasetBody, datasets: ProjectDatasets) -> Answer[DatasetShape]:
    """Create a dataset, or change the one of that name."""
    return await put_dataset(body, datasets)


@router.get("/datasets/{name:path}")
async def get_dataset_with_items(
    name: Text, datasets: ProjectDatasets, contents: ProjectContents
) -> Answer[WholeDatasetV1]:
    """One dataset with its active items and the names of its runs."""
    dataset = await datasets.get(name)
    items, runs = await contents.shapes(dataset), await contents.run_names(dataset)
    return answer({**dataset_shape(dataset), "items": items, "runs": runs})

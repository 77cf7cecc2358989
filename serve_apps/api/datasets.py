"""Datasets, in both generations of the API."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.parameters import Paged, Text
from serve_apps.api.shapes.datasets import DatasetBody, DatasetShape, dataset_shape
from serve_apps.api.shapes.lists import PageOf
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.dataset_items import DatasetItems
from storage.postgres.datasets import Datasets

router = APIRouter(tags=["datasets"])


async def _datasets(dependencies: Dependencies, principal: ProjectPrincipal) -> Datasets:
    return Datasets(dependencies.database, principal.project_id)


async def _items(dependencies: Dependencies, principal: ProjectPrincipal) -> DatasetItems:
    return DatasetItems(dependencies.database, principal.project_id)


ProjectDatasets = Annotated[Datasets, Depends(_datasets)]
ProjectItems = Annotated[DatasetItems, Depends(_items)]


@router.post("/v2/datasets")
async def put_dataset(body: DatasetBody, datasets: ProjectDatasets) -> Answer[DatasetShape]:
    """Create a dataset, or change the one of that name; a schema must fit the items that are there."""
    return answer(dataset_shape(await datasets.put(body.new)))


@router.get("/v2/datasets")
async def list_datasets(asked: Annotated[Paged, Query()], datasets: ProjectDatasets) -> Answer[PageOf[DatasetShape]]:
    """One page of the datasets, oldest first."""
    found, total = await datasets.page(asked.asked_page)
    return page_answer(list(map(dataset_shape, found)), asked.asked_page, total)


@router.get("/v2/datasets/{name:path}")
async def get_dataset(name: Text, datasets: ProjectDatasets) -> Answer[DatasetShape]:
    """One dataset."""
    return answer(dataset_shape(await datasets.get(name)))

"""The items of datasets, as they are and as they were."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from heliograph.domain.datasets import DatasetItem, ItemFilter, ItemStatus
from heliograph.domain.errors import InvalidRequest
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.datasets import ProjectItems
from serve_apps.api.dependencies import ProjectFiles, ProjectMediaFiles
from serve_apps.api.parameters import Moment, Paged, Text
from serve_apps.api.shapes.datasets import (
    DatasetItemBody,
    DatasetItemsBody,
    DatasetItemShape,
    Download,
    ItemId,
    RefusedItem,
    TakenItem,
    TakenItems,
    item_places,
    item_shape,
)
from serve_apps.api.shapes.documents import media_ids
from serve_apps.api.shapes.lists import PageOf, Told

router = APIRouter(tags=["dataset-items"])


class Listed(Paged):
    """Which items are listed; with a version those of that moment."""

    dataset_name: Text | None = None
    source_trace_id: Text | None = None
    source_observation_id: Text | None = None
    status: ItemStatus | None = None
    version: Moment = None

    @property
    def filter(self) -> ItemFilter:
        """What the list is made of; raises InvalidRequest."""
        if self.version is not None and not self.dataset_name:
            raise InvalidRequest("datasetName", "name the dataset whose version is meant")
        return ItemFilter(
            dataset_name=self.dataset_name or None,
            source_trace_id=self.source_trace_id or None,
            source_observation_id=self.source_observation_id or None,
            status=self.status,
            version=None if self.version is None else _aware(self.version),
        )


@router.post("/dataset-items")
async def put_item(body: DatasetItemBody, items: ProjectItems, files: ProjectMediaFiles) -> Answer[DatasetItemShape]:
    """Create an item, or a new version of the one of that id; it must meet the schemas of its dataset."""
    (outcome,) = await items.put(body.dataset_name, [body.change])
    if isinstance(outcome, InvalidRequest):
        raise outcome
    (shape,) = await shapes_with_media([outcome], files)
    return answer(shape)


@router.post("/dataset-items/batch", status_code=207)
async def put_items(body: DatasetItemsBody, items: ProjectItems) -> Answer[TakenItems]:
    """Create or change many items; what is refused is told by its place in the list, and costs no other."""
    outcomes = await items.put(body.dataset_name, [item.change for item in body.items])
    places = list(enumerate(outcomes))
    taken: list[TakenItem] = [{"index": place, "id": one.id} for place, one in places if isinstance(one, DatasetItem)]
    refused: list[RefusedItem] = [
        {"index": place, "field": one.field, "message": str(one)}
        for place, one in places
        if isinstance(one, InvalidRequest)
    ]
    return answer({"successes": taken, "errors": refused}, 207)


@router.get("/dataset-items")
async def list_items(
    asked: Annotated[Listed, Query()], items: ProjectItems, files: ProjectMediaFiles
) -> Answer[PageOf[DatasetItemShape]]:
    """One page of the items, in the order in which they were created."""
    found, total = await items.page(asked.filter, asked.asked_page)
    return page_answer(await shapes_with_media(found, files), asked.asked_page, total)


@router.get("/dataset-items/{item_id:path}")
async def get_item(item_id: ItemId, items: ProjectItems, files: ProjectMediaFiles) -> Answer[DatasetItemShape]:
    """The current version of an item."""
    (shape,) = await shapes_with_media([await items.get(item_id)], files)
    return answer(shape)


@router.delete("/dataset-items/{item_id:path}")
async def delete_item(item_id: ItemId, items: ProjectItems) -> Answer[Told]:
    """End an item; reads of earlier versions still find it."""
    await items.delete(item_id)
    return answer({"message": "Dataset item successfully deleted"})


async def shapes_with_media(items: Sequence[DatasetItem], files: ProjectFiles) -> list[DatasetItemShape]:
    """The contract's items, with where to download the files that they refer to."""
    places = [item_places(item) for item in items]
    wanted = media_ids(place for some in places for place in some)
    known = await files.known.uploaded(wanted) if wanted else []
    downloads = {media.id: Download(media, *files.download_url(media)) for media in known}
    return [item_shape(item, some, downloads) for item, some in zip(items, places, strict=True)]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

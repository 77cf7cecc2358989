"""The items of datasets, as they are and as they were."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from heliograph.domain.datasets import DatasetItem, ItemFilter, ItemStatus
from heliograph.domain.errors import InvalidRequest
from serve_apps.api.answers import answer, page_answer
from serve_apps.api.datasets import ProjectItems
from serve_apps.api.dependencies import ProjectFiles, ProjectMediaFiles
from serve_apps.api.parameters import Moment, Paged, Text
from serve_apps.api.shapes.datasets import DatasetItemBody, DatasetItemsBody, Download, ItemId, item_places, item_shape
from serve_apps.api.shapes.documents import media_ids

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
async def put_item(body: DatasetItemBody, items: ProjectItems, files: ProjectMediaFiles) -> Response:
    """Create an item, or a new version of the one of that id; it must meet the schemas of its dataset."""
    (outcome,) = await items.put(body.dataset_name, [body.change])
    if isinstance(outcome, InvalidRequest):
        raise outcome
    (shape,) = await shapes_with_media([outcome], files)
    return answer(shape)


@router.post("/dataset-items/batch")
async def put_items(body: DatasetItemsBody, items: ProjectItems) -> Response:
    """Create or change many items; what is refused is told by its place in the list, and costs no other."""
    outcomes = await items.put(body.dataset_name, [item.change for item in body.items])
    places = list(enumerate(outcomes))
    taken = [{"index": place, "id": one.id} for place, one in places if isinstance(one, DatasetItem)]
    refused = [
        {"index": place, "field": one.field, "message": str(one)}
        for place, one in places
        if isinstance(one, InvalidRequest)
    ]
    return answer({"successes": taken, "errors": refused}, 207)


@router.get("/dataset-items")
async def list_items(asked: Annotated[Listed, Query()], items: ProjectItems, files: ProjectMediaFiles) -> Response:
    """One page of the items, in the order in which they were created."""
    found, total = await items.page(asked.filter, asked.asked_page)
    return page_answer(await shapes_with_media(found, files), asked.asked_page, total)


@router.get("/dataset-items/{item_id:path}")
async def get_item(item_id: ItemId, items: ProjectItems, files: ProjectMediaFiles) -> Response:
    """The current version of an item."""
    (shape,) = await shapes_with_media([await items.get(item_id)], files)
    return answer(shape)


@router.delete("/dataset-items/{item_id:path}")
async def delete_item(item_id: ItemId, items: ProjectItems) -> Response:
    """End an item; reads of earlier versions still find it."""
    await items.delete(item_id)
    return answer({"message": "Dataset item successfully deleted"})


async def shapes_with_media(items: Sequence[DatasetItem], files: ProjectFiles) -> list[dict[str, Any]]:
    """The contract's items, with where to download the files that they refer to."""
    places = [item_places(item) for item in items]
    wanted = media_ids(place for some in places for place in some)
    known = await files.known.uploaded(wanted) if wanted else []
    downloads = {media.id: Download(media, *files.download_url(media)) for media in known}
    return [item_shape(item, some, downloads) for item, some in zip(items, places, strict=True)]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

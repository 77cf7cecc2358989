"""The items of annotation queues: what waits to be scored by people."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from heliograph.domain.annotations import ItemStatus
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.parameters import Optional, Paged, Text
from serve_apps.api.shapes.annotations import AnnotationQueueItemShape, ItemBody, ItemChange, item_shape
from serve_apps.api.shapes.lists import DoneAndTold, PageOf
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.annotation_queue_items import AnnotationQueueItems

router = APIRouter(prefix="/annotation-queues/{queue_id}/items", tags=["annotation-queues"])


async def _items(queue_id: Text, dependencies: Dependencies, principal: ProjectPrincipal) -> AnnotationQueueItems:
    return AnnotationQueueItems(dependencies.database, principal.project_id, queue_id)


QueueItems = Annotated[AnnotationQueueItems, Depends(_items)]


class ItemList(Paged):
    """Which items, and which page of them."""

    status: Optional[ItemStatus] = None


@router.get("")
async def list_annotation_queue_items(
    asked: Annotated[ItemList, Query()], items: QueueItems
) -> Answer[PageOf[AnnotationQueueItemShape]]:
    """One page of a queue's items, the newest first."""
    found, total = await items.page(asked.asked_page, asked.status)
    return page_answer(list(map(item_shape, found)), asked.asked_page, total)


@router.post("")
async def create_annotation_queue_item(body: ItemBody, items: QueueItems) -> Answer[AnnotationQueueItemShape]:
    """Put a trace, an observation or a session into a queue."""
    status = body.status or ItemStatus.PENDING
    return answer(item_shape(await items.add(body.object_type, body.object_id, status)))


@router.get("/{item_id}")
async def get_annotation_queue_item(item_id: Text, items: QueueItems) -> Answer[AnnotationQueueItemShape]:
    """One item of a queue."""
    return answer(item_shape(await items.get(item_id)))


@router.patch("/{item_id}")
async def change_annotation_queue_item(
    item_id: Text, body: ItemChange, items: QueueItems
) -> Answer[AnnotationQueueItemShape]:
    """Complete an item, or let it wait again."""
    found = await items.get(item_id) if body.status is None else await items.set_status(item_id, body.status)
    return answer(item_shape(found))


@router.delete("/{item_id}")
async def delete_annotation_queue_item(item_id: Text, items: QueueItems) -> Answer[DoneAndTold]:
    """Take an item out of a queue; what it stands for stays."""
    await items.delete(item_id)
    return answer({"success": True, "message": "Annotation queue item deleted successfully"})

"""Annotation queues: what people are to score, and who they are."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from heliograph.domain.identifiers import UserId
from serve_apps.api.answers import Answer, answer, page_answer
from serve_apps.api.dependencies import Dependencies
from serve_apps.api.parameters import Paged, Text
from serve_apps.api.shapes.annotations import (
    AnnotationQueueShape,
    AssignmentBody,
    AssignmentShape,
    QueueBody,
    queue_shape,
)
from serve_apps.api.shapes.lists import Done, PageOf
from serve_apps.authentication import ProjectPrincipal
from storage.postgres.annotation_queues import AnnotationQueues

router = APIRouter(tags=["annotation-queues"])


async def _queues(dependencies: Dependencies, principal: ProjectPrincipal) -> AnnotationQueues:
    return AnnotationQueues(dependencies.database, principal.project_id)


ProjectQueues = Annotated[AnnotationQueues, Depends(_queues)]


@router.get("/annotation-queues")
async def list_annotation_queues(
    asked: Annotated[Paged, Query()], queues: ProjectQueues
) -> Answer[PageOf[AnnotationQueueShape]]:
    """One page of the project's queues, the newest first."""
    found, total = await queues.page(asked.asked_page)
    return page_answer(list(map(queue_shape, found)), asked.asked_page, total)


@router.post("/annotation-queues")
async def create_annotation_queue(body: QueueBody, queues: ProjectQueues) -> Answer[AnnotationQueueShape]:
    """Create a queue whose items are scored by these configs."""
    return answer(queue_shape(await queues.create(body.name, body.description, body.score_config_ids)))


@router.get("/annotation-queues/{queue_id}")
async def get_annotation_queue(queue_id: Text, queues: ProjectQueues) -> Answer[AnnotationQueueShape]:
    """One queue."""
    return answer(queue_shape(await queues.get(queue_id)))


@router.post("/annotation-queues/{queue_id}/assignments")
async def assign_annotation_queue(
    queue_id: Text, body: AssignmentBody, *, queues: ProjectQueues, principal: ProjectPrincipal
) -> Answer[AssignmentShape]:
    """Let a member of the project work on a queue."""
    await queues.assign(queue_id, UserId(body.user_id))
    return answer({"userId": body.user_id, "queueId": queue_id, "projectId": principal.project_id})


@router.delete("/annotation-queues/{queue_id}/assignments")
async def unassign_annotation_queue(queue_id: Text, body: AssignmentBody, queues: ProjectQueues) -> Answer[Done]:
    """Take a user off a queue."""
    await queues.unassign(queue_id, UserId(body.user_id))
    return answer({"success": True})

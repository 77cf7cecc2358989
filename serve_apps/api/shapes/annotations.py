"""Annotation queues, their items and comments as the API shows and takes them."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from heliograph.domain.annotations import (
    AnnotatedType,
    AnnotationQueue,
    Comment,
    CommentedType,
    ItemStatus,
    QueueItem,
)
from serve_apps.api.parameters import Text
from serve_apps.api.shapes.values import Instant, JsonShape, iso, optional_iso

MAX_ID = 800
MAX_COMMENT = 5_000
_MAX_NAME = 255
ObjectId = Annotated[Text, Field(min_length=1, max_length=MAX_ID)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=AliasGenerator(validation_alias=to_camel))


class QueueBody(_Body):
    """A queue to be created."""

    name: Annotated[Text, Field(min_length=1, max_length=_MAX_NAME)]
    description: Text | None = None
    score_config_ids: Annotated[list[Text], Field(min_length=1)]


class ItemBody(_Body):
    """Something to be put into a queue."""

    object_id: ObjectId
    object_type: AnnotatedType
    status: ItemStatus | None = None


class ItemChange(_Body):
    """What becomes of an item."""

    status: ItemStatus | None = None


class AssignmentBody(_Body):
    """Who works on a queue, or no longer does."""

    user_id: Annotated[Text, Field(min_length=1)]


class CommentBody(_Body):
    """A comment to be created; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=AliasGenerator(validation_alias=to_camel))

    project_id: Text
    object_type: CommentedType
    object_id: ObjectId
    content: Annotated[Text, Field(min_length=1, max_length=MAX_COMMENT)]
    author_user_id: Text | None = None


class AnnotationQueueShape(JsonShape):
    """An annotation queue."""

    id: str
    name: str
    description: str | None
    scoreConfigIds: Sequence[str]
    createdAt: Instant
    updatedAt: Instant


class AnnotationQueueItemShape(JsonShape):
    """An item of an annotation queue."""

    id: str
    queueId: str
    objectId: str
    objectType: AnnotatedType
    status: ItemStatus
    completedAt: Instant | None
    createdAt: Instant
    updatedAt: Instant


class AssignmentShape(JsonShape):
    """Who works on which queue."""

    userId: str
    queueId: str
    projectId: str


class CommentShape(JsonShape):
    """A comment."""

    id: str
    projectId: str
    createdAt: Instant
    updatedAt: Instant
    objectType: CommentedType
    objectId: str
    content: str
    authorUserId: str | None


def queue_shape(queue: AnnotationQueue) -> AnnotationQueueShape:
    """The contract's annotation queue."""
    return {
        "id": queue.id,
        "name": queue.name,
        "description": queue.description,
        "scoreConfigIds": queue.score_config_ids,
        "createdAt": iso(queue.created_at),
        "updatedAt": iso(queue.updated_at),
    }


def item_shape(item: QueueItem) -> AnnotationQueueItemShape:
    """The contract's item of an annotation queue."""
    return {
        "id": item.id,
        "queueId": item.queue_id,
        "objectId": item.object_id,
        "objectType": item.object_type,
        "status": item.status,
        "completedAt": optional_iso(item.completed_at),
        "createdAt": iso(item.created_at),
        "updatedAt": iso(item.updated_at),
    }


def comment_shape(comment: Comment) -> CommentShape:
    """The contract's comment."""
    return {
        "id": comment.id,
        "projectId": comment.project_id,
        "createdAt": iso(comment.created_at),
        "updatedAt": iso(comment.updated_at),
        "objectType": comment.object_type,
        "objectId": comment.object_id,
        "content": comment.content,
        "authorUserId": comment.author_user_id,
    }

"""Annotation: queues of what people score, and comments."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# An item that someone has opened is kept from others for so long.
LOCK_DURATION = timedelta(minutes=5)


class AnnotatedType(StrEnum):
    """What can wait in a queue."""

    TRACE = "TRACE"
    OBSERVATION = "OBSERVATION"
    SESSION = "SESSION"


class CommentedType(StrEnum):
    """What can be commented on; of a prompt one version, by its id."""

    TRACE = "TRACE"
    OBSERVATION = "OBSERVATION"
    SESSION = "SESSION"
    PROMPT = "PROMPT"


class ItemStatus(StrEnum):
    """Whether an item waits, or somebody is done with it."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"


@dataclass(frozen=True)
class Annotated:
    """What is scored by a person."""

    type: AnnotatedType
    id: str


@dataclass(frozen=True)
class Progress:
    """How many items of a queue are done, of how many."""

    completed: int = 0
    total: int = 0


@dataclass(frozen=True, kw_only=True)
class AnnotationQueue:
    """A queue, and the configs of the scores that its items are given."""

    id: str
    project_id: str
    name: str
    description: str | None
    score_config_ids: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class QueueItem:
    """Something to be scored by a person; `annotator_user_id` is who has completed it."""

    id: str
    queue_id: str
    object_type: AnnotatedType
    object_id: str
    status: ItemStatus
    locked_at: datetime | None
    locked_by_user_id: str | None
    annotator_user_id: str | None
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Commented:
    """What a comment is about; `trace_id` is that of a trace or of an observation, otherwise ''."""

    type: CommentedType
    id: str
    trace_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Comment:
    """What someone has written about something."""

    id: str
    project_id: str
    object_type: CommentedType
    object_id: str
    content: str
    author_user_id: str | None
    created_at: datetime
    updated_at: datetime

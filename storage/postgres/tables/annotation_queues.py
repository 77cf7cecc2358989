"""The tables of annotation: queues, what waits in them, and who works on them."""

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Moment, Table


class AnnotationQueueRow(Table):
    """One queue, and the configs of the scores that its items are given."""

    __tablename__ = "annotation_queues"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    description: Mapped[str | None]
    score_config_ids: Mapped[list[str]] = mapped_column(ARRAY(String))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class AnnotationQueueItemRow(Table):
    """One thing to be scored by a person. A lock is soft: it ends by itself."""

    __tablename__ = "annotation_queue_items"
    __table_args__ = (
        Index("ix_annotation_queue_items_queue_id_status_created_at", "queue_id", "status", "created_at"),
        Index("ix_annotation_queue_items_project_id_object", "project_id", "object_type", "object_id"),
    )

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    queue_id: Mapped[str] = mapped_column(ForeignKey("annotation_queues.id", ondelete="CASCADE"))
    object_type: Mapped[str]
    object_id: Mapped[str]
    status: Mapped[str]
    locked_at: Mapped[Moment | None]
    locked_by_user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    annotator_user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    completed_at: Mapped[Moment | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class AnnotationQueueAssignmentRow(Table):
    """A user who works on a queue."""

    __tablename__ = "annotation_queue_assignments"

    queue_id: Mapped[str] = mapped_column(ForeignKey("annotation_queues.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    created_at: Mapped[Created]

"""The table of feedback."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Table


class FeedbackRow(Table):
    """What somebody said of a part of this product."""

    __tablename__ = "feedback"
    __table_args__ = (
        Index("ix_feedback_created_at", "created_at"),
        Index("ix_feedback_project_id_created_at", "project_id", "created_at"),
    )

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    target_type: Mapped[str]
    target: Mapped[str]
    feedback: Mapped[str]
    goal: Mapped[str]
    reference_url: Mapped[str]
    created_at: Mapped[Created]

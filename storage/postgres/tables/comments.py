"""The table of comments."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Table


class CommentRow(Table):
    """What someone has written about a trace, an observation, a session or a version of a prompt.

    `trace_id` is of the trace, or of the observation's, with which the comment is deleted; otherwise ''.
    """

    __tablename__ = "comments"
    __table_args__ = (
        Index("ix_comments_project_id_object", "project_id", "object_type", "object_id"),
        Index("ix_comments_project_id_trace_id", "project_id", "trace_id"),
    )

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    object_type: Mapped[str]
    object_id: Mapped[str]
    content: Mapped[str]
    trace_id: Mapped[str]
    author_user_id: Mapped[str | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

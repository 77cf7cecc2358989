"""The table of saved views."""

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Table


class SavedViewRow(Table):
    """What a table of the dashboard shows, kept under a name for everybody in the project."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("project_id", "page", "name"),)

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    page: Mapped[str]
    name: Mapped[str]
    query: Mapped[str]
    author_user_id: Mapped[str | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

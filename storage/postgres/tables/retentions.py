"""The table of what retention has deleted."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Moment, Table


class RetentionRow(Table):
    """The last run that deleted something in a project; `updated_at` is when the last run was, whatever it did."""

    __tablename__ = "retentions"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    cutoff: Mapped[Moment | None]
    traces: Mapped[int]
    scores: Mapped[int]
    media: Mapped[int]
    updated_at: Mapped[Created]

"""The tables of media: the files of each project, and what refers to them."""

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Moment, Table


def _of_media(name: str) -> tuple[ForeignKeyConstraint, Index]:
    file = ForeignKeyConstraint(["project_id", "media_id"], ["media.project_id", "media.id"])
    return file, Index(f"ix_{name}_media", "project_id", "media_id")


class MediaRow(Table):
    """One file. It refers to no project: it outlives its project until its object is removed.

    `orphaned_at` is set when nothing refers to it any more; object and row are then removed.
    """

    __tablename__ = "media"
    __table_args__ = (
        UniqueConstraint("project_id", "sha256"),
        Index("ix_media_orphaned_at", "orphaned_at", postgresql_where=text("orphaned_at IS NOT NULL")),
    )

    project_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    content_type: Mapped[str]
    content_length: Mapped[int] = mapped_column(BigInteger)
    uploaded_at: Mapped[Moment | None]
    upload_http_status: Mapped[int | None]
    upload_http_error: Mapped[str | None]
    orphaned_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class TraceMediaRow(Table):
    """A trace refers to a file in one of its fields."""

    __tablename__ = "trace_media"
    __table_args__ = _of_media("trace_media")

    project_id: Mapped[str] = mapped_column(primary_key=True)
    trace_id: Mapped[str] = mapped_column(primary_key=True)
    media_id: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[Created]


class ObservationMediaRow(Table):
    """An observation refers to a file in one of its fields."""

    __tablename__ = "observation_media"
    __table_args__ = _of_media("observation_media")

    project_id: Mapped[str] = mapped_column(primary_key=True)
    trace_id: Mapped[str] = mapped_column(primary_key=True)
    observation_id: Mapped[str] = mapped_column(primary_key=True)
    media_id: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[Created]


class DatasetItemMediaRow(Table):
    """A dataset's item refers to a file in one of its fields."""

    __tablename__ = "dataset_item_media"
    __table_args__ = _of_media("dataset_item_media")

    project_id: Mapped[str] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(primary_key=True)
    dataset_item_id: Mapped[str] = mapped_column(primary_key=True)
    media_id: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[Created]

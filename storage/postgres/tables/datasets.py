"""The tables of datasets, of the versions of their items, and of the runs that clients report."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Moment, Table

# JSON, not JSONB, which knows neither the order of keys nor the character NUL.
_DOCUMENT = JSON(none_as_null=True)


class DatasetRow(Table):
    """One dataset. Whoever changes its items locks it, so that their versions follow each other in time."""

    __tablename__ = "datasets"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    description: Mapped[str | None]
    # `metadata` is SQLAlchemy's own.
    details: Mapped[Any | None] = mapped_column("metadata", _DOCUMENT)
    input_schema: Mapped[Any | None] = mapped_column(_DOCUMENT)
    expected_output_schema: Mapped[Any | None] = mapped_column(_DOCUMENT)
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class DatasetItemRow(Table):
    """One version of an item, valid until `valid_to`; an item without a version that is still valid is deleted."""

    __tablename__ = "dataset_items"
    __table_args__ = (
        Index("uq_dataset_items_current", "project_id", "id", unique=True, postgresql_where=text("valid_to IS NULL")),
        Index("ix_dataset_items_dataset_id_created_at_id", "dataset_id", "created_at", "id"),
        Index("ix_dataset_items_project_id_source_trace_id", "project_id", "source_trace_id"),
    )

    project_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[Moment] = mapped_column(primary_key=True)
    valid_to: Mapped[Moment | None]
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    status: Mapped[str]
    input: Mapped[Any | None] = mapped_column(_DOCUMENT)
    expected_output: Mapped[Any | None] = mapped_column(_DOCUMENT)
    details: Mapped[Any | None] = mapped_column("metadata", _DOCUMENT)
    source_trace_id: Mapped[str | None]
    source_observation_id: Mapped[str | None]
    created_at: Mapped[Moment]


class DatasetRunRow(Table):
    """One run over a dataset; what was sent before `deleted_at` no longer belongs to it."""

    __tablename__ = "dataset_runs"
    __table_args__ = (Index("ix_dataset_runs_dataset_id", "dataset_id"),)

    project_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    name: Mapped[str]
    description: Mapped[str | None]
    details: Mapped[Any | None] = mapped_column("metadata", _DOCUMENT)
    is_reported: Mapped[bool]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    deleted_at: Mapped[Moment | None]


class DatasetRunItemRow(Table):
    """An item of a run, and the trace or observation in which it ran."""

    __tablename__ = "dataset_run_items"
    __table_args__ = (
        ForeignKeyConstraint(
            ("project_id", "run_id"), ("dataset_runs.project_id", "dataset_runs.id"), ondelete="CASCADE"
        ),
        UniqueConstraint(
            *("project_id", "run_id", "dataset_item_id", "trace_id", "observation_id"), name="uq_dataset_run_items_once"
        ),
    )

    id: Mapped[Id]
    project_id: Mapped[str]
    run_id: Mapped[str]
    dataset_item_id: Mapped[str]
    trace_id: Mapped[str]
    # '' when the whole trace is meant.
    observation_id: Mapped[str]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

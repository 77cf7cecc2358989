"""Datasets, the versions of their items, and runs over them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _create_datasets()
    _create_items()
    _create_runs()


def downgrade() -> None:
    """Drop them."""
    for table in ("dataset_run_items", "dataset_runs", "dataset_items", "datasets"):
        op.drop_table(table)


def _create_datasets() -> None:
    op.create_table(
        "datasets",
        *_texts("id", "project_id", "name"),
        sa.Column("description", sa.String(), nullable=True),
        *_documents("metadata", "input_schema", "expected_output_schema"),
        _moment("created_at", server_default=sa.func.now()),
        _moment("updated_at", server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
        sa.UniqueConstraint("project_id", "name", name="uq_datasets_project_id_name"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_datasets_project_id", ondelete="CASCADE"),
    )


def _create_items() -> None:
    op.create_table(
        "dataset_items",
        *_texts("project_id", "id"),
        _moment("valid_from"),
        _moment("valid_to", nullable=True),
        *_texts("dataset_id", "status"),
        *_documents("input", "expected_output", "metadata"),
        sa.Column("source_trace_id", sa.String(), nullable=True),
        sa.Column("source_observation_id", sa.String(), nullable=True),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("project_id", "id", "valid_from", name="pk_dataset_items"),
        _of_dataset("dataset_items"),
    )
    current = sa.text("valid_to IS NULL")
    op.create_index(
        "uq_dataset_items_current", "dataset_items", ["project_id", "id"], unique=True, postgresql_where=current
    )
    for columns in (["dataset_id", "created_at", "id"], ["project_id", "source_trace_id"]):
        op.create_index(f"ix_dataset_items_{'_'.join(columns)}", "dataset_items", columns)


def _create_runs() -> None:
    op.create_table(
        "dataset_runs",
        *_texts("project_id", "id", "dataset_id", "name"),
        sa.Column("description", sa.String(), nullable=True),
        *_documents("metadata"),
        sa.Column("is_reported", sa.Boolean(), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
        _moment("deleted_at", nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id", name="pk_dataset_runs"),
        _of_dataset("dataset_runs"),
    )
    op.create_index("ix_dataset_runs_dataset_id", "dataset_runs", ["dataset_id"])
    op.create_table(
        "dataset_run_items",
        *_texts("id", "project_id", "run_id", "dataset_item_id", "trace_id", "observation_id"),
        _moment("created_at"),
        _moment("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_dataset_run_items"),
        sa.UniqueConstraint(
            *("project_id", "run_id", "dataset_item_id", "trace_id", "observation_id"),
            name="uq_dataset_run_items_once",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "run_id"],
            ["dataset_runs.project_id", "dataset_runs.id"],
            name="fk_dataset_run_items_project_id_run_id",
            ondelete="CASCADE",
        ),
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _documents(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.JSON(), nullable=True) for name in names]


def _moment(name: str, *, nullable: bool = False, server_default: object = None) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=server_default)  # type: ignore[arg-type]


def _of_dataset(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=f"fk_{table}_dataset_id", ondelete="CASCADE")

"""Score configs, annotation queues and comments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _create_score_configs()
    _create_queues()
    _create_queue_items()
    _create_comments()


def downgrade() -> None:
    """Drop them."""
    tables = ("comments", "annotation_queue_assignments", "annotation_queue_items", "annotation_queues")
    for table in (*tables, "score_configs"):
        op.drop_table(table)


def _create_score_configs() -> None:
    op.create_table(
        "score_configs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("data_type", sa.String(), nullable=False),
        sa.Column("categories", JSONB(), nullable=False),
        sa.Column("min_value", sa.Float(), nullable=True),
        sa.Column("max_value", sa.Float(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_score_configs"),
        _of_project("score_configs"),
    )
    op.create_index("ix_score_configs_project_id_created_at", "score_configs", ["project_id", "created_at"])


def _create_queues() -> None:
    op.create_table(
        "annotation_queues",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("score_config_ids", ARRAY(sa.String()), nullable=False),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_annotation_queues"),
        sa.UniqueConstraint("project_id", "name", name="uq_annotation_queues_project_id_name"),
        _of_project("annotation_queues"),
    )
    op.create_table(
        "annotation_queue_assignments",
        sa.Column("queue_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        _now("created_at"),
        sa.PrimaryKeyConstraint("queue_id", "user_id", name="pk_annotation_queue_assignments"),
        _of_queue("annotation_queue_assignments"),
        _of_user("annotation_queue_assignments", "user_id", "CASCADE"),
    )


def _create_queue_items() -> None:
    table = "annotation_queue_items"
    op.create_table(
        table,
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("queue_id", sa.String(), nullable=False),
        sa.Column("object_type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("locked_by_user_id", sa.String(), nullable=True),
        sa.Column("annotator_user_id", sa.String(), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        _of_project(table),
        _of_queue(table),
        _of_user(table, "locked_by_user_id", "SET NULL"),
        _of_user(table, "annotator_user_id", "SET NULL"),
    )
    op.create_index(f"ix_{table}_queue_id_status_created_at", table, ["queue_id", "status", "created_at"])
    op.create_index(f"ix_{table}_project_id_object", table, ["project_id", "object_type", "object_id"])


def _create_comments() -> None:
    op.create_table(
        "comments",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("object_type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("trace_id", sa.String(), nullable=False),
        sa.Column("author_user_id", sa.String(), nullable=True),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_comments"),
        _of_project("comments"),
    )
    op.create_index("ix_comments_project_id_object", "comments", ["project_id", "object_type", "object_id"])
    op.create_index("ix_comments_project_id_trace_id", "comments", ["project_id", "trace_id"])


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


def _of_project(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=f"fk_{table}_project_id", ondelete="CASCADE")


def _of_queue(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_queue_id"
    return sa.ForeignKeyConstraint(["queue_id"], ["annotation_queues.id"], name=name, ondelete="CASCADE")


def _of_user(table: str, column: str, on_delete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["users.id"], name=f"fk_{table}_{column}", ondelete=on_delete)

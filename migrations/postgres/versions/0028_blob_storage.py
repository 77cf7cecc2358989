"""Blob storage integrations, and feedback."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from migrations.postgres.audit import audited

revision = "0028"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; changes of integrations are audited."""
    op.create_table(
        "blob_storage_integrations",
        *_texts("id", "project_id", "kind", "bucket", "region"),
        sa.Column("endpoint", sa.String(), nullable=True),
        *_texts("access_key_id", "secret_ciphertext", "prefix"),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("force_path_style", "enabled")),
        *_texts("frequency", "file_type", "mode"),
        sa.Column("start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("compressed", sa.Boolean(), nullable=False),
        *_texts("source"),
        sa.Column("field_groups", ARRAY(sa.String()), nullable=False),
        *(_moment(name, nullable=False) for name in ("created_at", "updated_at")),
        sa.PrimaryKeyConstraint("id", name="pk_blob_storage_integrations"),
        sa.UniqueConstraint("project_id", name="uq_blob_storage_integrations_project_id"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_blob_storage_integrations_project_id", ondelete="CASCADE"
        ),
    )
    op.execute(audited("blob_storage_integrations", "blobStorageIntegration", "id"))
    op.create_table(
        "blob_storage_syncs",
        *_texts("integration_id"),
        *(_moment(name, nullable=True) for name in ("last_sync_at", "next_sync_at", "started_at")),
        sa.Column("last_error", sa.String(), nullable=True),
        _moment("last_error_at", nullable=True),
        sa.PrimaryKeyConstraint("integration_id", name="pk_blob_storage_syncs"),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["blob_storage_integrations.id"],
            name="fk_blob_storage_syncs_integration_id",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "feedback",
        *_texts("id", "project_id", "target_type", "target", "feedback", "goal", "reference_url"),
        _moment("created_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_feedback_project_id", ondelete="CASCADE"),
    )
    op.create_index("ix_feedback_created_at", "feedback", ["created_at"])
    op.create_index("ix_feedback_project_id_created_at", "feedback", ["project_id", "created_at"])


def downgrade() -> None:
    """Drop them."""
    for table in ("feedback", "blob_storage_syncs", "blob_storage_integrations"):
        op.drop_table(table)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _moment(name: str, *, nullable: bool) -> sa.Column[Any]:
    default = None if nullable else sa.func.now()
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)

"""Media, and what refers to them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_LINKS = {
    "trace_media": ("trace_id",),
    "observation_media": ("trace_id", "observation_id"),
    "dataset_item_media": ("dataset_id", "dataset_item_id"),
}


def upgrade() -> None:
    """Create the tables of media."""
    op.create_table(
        "media",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("content_length", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("upload_http_status", sa.Integer(), nullable=True),
        sa.Column("upload_http_error", sa.String(), nullable=True),
        sa.Column("orphaned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "id", name="pk_media"),
        sa.UniqueConstraint("project_id", "sha256", name="uq_media_project_id_sha256"),
    )
    op.create_index(
        "ix_media_orphaned_at", "media", ["orphaned_at"], postgresql_where=sa.text("orphaned_at IS NOT NULL")
    )
    for table, subject in _LINKS.items():
        key = ("project_id", *subject, "media_id", "field")
        op.create_table(
            table,
            *(sa.Column(name, sa.String(), nullable=False) for name in key),
            sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
            sa.PrimaryKeyConstraint(*key, name=f"pk_{table}"),
            sa.ForeignKeyConstraint(
                ["project_id", "media_id"], ["media.project_id", "media.id"], name=f"fk_{table}_project_id_media_id"
            ),
        )
        op.create_index(f"ix_{table}_media", table, ["project_id", "media_id"])


def downgrade() -> None:
    """Drop them."""
    for table in (*_LINKS, "media"):
        op.drop_table(table)

"""Masking rules of projects."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "masking_rules",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("replacement", sa.String(), nullable=False),
        sa.Column("is_fail_closed", sa.Boolean(), nullable=False),
        sa.Column("headers", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_masking_rules"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_masking_rules_project_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            *("project_id", "kind", "field", "target"), name="uq_masking_rules_project_id_kind_field_target"
        ),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("masking_rules")

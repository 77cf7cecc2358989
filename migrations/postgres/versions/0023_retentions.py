"""What retention has deleted, audited."""

import sqlalchemy as sa
from alembic import op

from migrations.postgres.audit import audited, unaudited

revision = "0023"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "retentions",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("cutoff", sa.DateTime(timezone=True), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("traces", "scores", "media")),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", name="pk_retentions"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_retentions_project_id", ondelete="CASCADE"),
    )
    op.execute(audited("retentions", "retention", "project_id"))


def downgrade() -> None:
    """Drop it."""
    op.execute(unaudited("retentions"))
    op.drop_table("retentions")

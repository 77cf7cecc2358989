"""Experiments that the server runs itself."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0021"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "prompt_experiments",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("id", "project_id", "status", "message")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("items", "done")),
        *(sa.Column(name, JSONB(), nullable=False) for name in ("plan", "failures")),
        *(
            sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)
            for name in ("created_at", "updated_at")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_prompt_experiments"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_prompt_experiments_project_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_prompt_experiments_project_id", "prompt_experiments", ["project_id"])
    op.create_index("ix_prompt_experiments_status", "prompt_experiments", ["status"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("prompt_experiments")

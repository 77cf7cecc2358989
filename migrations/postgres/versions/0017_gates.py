"""Gates that experiments are held to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.postgres.audit import audited

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, whose changes are audited."""
    op.create_table(
        "gates",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("id", "project_id", "name")),
        sa.Column("policy", JSONB(), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)
            for name in ("created_at", "updated_at")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_gates"),
        sa.UniqueConstraint("project_id", "name", name="uq_gates_project_id_name"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_gates_project_id", ondelete="CASCADE"),
    )
    op.execute(audited("gates", "gate", "name"))


def downgrade() -> None:
    """Drop it."""
    op.drop_table("gates")

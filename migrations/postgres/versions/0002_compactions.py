"""How far each lane's log is archived."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of compactions."""
    op.create_table(
        "compactions",
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cursor_epoch", sa.BigInteger(), nullable=True),
        sa.Column("cursor_segment", sa.BigInteger(), nullable=True),
        sa.Column("target_epoch", sa.BigInteger(), nullable=True),
        sa.Column("target_segment", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("lane", name="pk_compactions"),
    )


def downgrade() -> None:
    """Drop it: everything is then archived again from the start, to the same files."""
    op.drop_table("compactions")

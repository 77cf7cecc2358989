"""Runs of rules over what is stored already."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rules know their budget and their run."""
    op.add_column("evaluation_rules", sa.Column("budget_usd", sa.Float(), nullable=True))
    run_id = sa.Column("backfill_run_id", sa.String(), nullable=False, server_default=sa.text("''"))
    op.add_column("evaluation_rules", run_id)


def downgrade() -> None:
    """The runs themselves stay."""
    op.drop_column("evaluation_rules", "backfill_run_id")
    op.drop_column("evaluation_rules", "budget_usd")

"""The limits of projects, and the events that they count."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is limited until somebody says so."""
    op.create_table(
        "project_limits",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("requests_per_minute", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("events_per_day", sa.BigInteger(), nullable=True),
        sa.Column("events_per_month", sa.BigInteger(), nullable=True),
        sa.Column("sample_rate", sa.Float(53), server_default=sa.text("1"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_project_limits_project_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", name="pk_project_limits"),
    )
    op.create_table(
        "project_usage",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("events", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "day", name="pk_project_usage"),
    )


def downgrade() -> None:
    """The older code limits nothing."""
    op.drop_table("project_usage")
    op.drop_table("project_limits")

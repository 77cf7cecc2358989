"""Replays, and the reports of their parts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A replay is resumed from what its parts have reported."""
    op.create_table(
        "replays",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("received_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_trial", sa.Boolean(), nullable=False),
        sa.Column("plan", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_replays"),
    )
    op.create_index("ix_replays_project_id", "replays", ["project_id"])
    op.create_table(
        "replay_parts",
        sa.Column("replay_id", sa.String(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("found", JSONB(), nullable=False),
        sa.Column("stored", JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("replay_id", "part", name="pk_replay_parts"),
    )


def downgrade() -> None:
    """Without a trace: what was stored stays."""
    op.drop_table("replay_parts")
    op.drop_table("replays")

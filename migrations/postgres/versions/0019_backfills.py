"""Backfills, and the reports of their parts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A backfill is resumed from what its parts have reported."""
    op.create_table(
        "backfills",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("asked", JSONB(), nullable=False),
        sa.Column("is_trial", sa.Boolean(), nullable=False),
        sa.Column("parts", JSONB(none_as_null=True), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_backfills"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_backfills_project_id", ondelete="CASCADE"),
    )
    op.create_index("ix_backfills_project_id", "backfills", ["project_id"])
    op.create_table(
        "backfill_parts",
        sa.Column("backfill_id", sa.String(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("found", JSONB(), nullable=False),
        sa.Column("stored", JSONB(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("backfill_id", "part", name="pk_backfill_parts"),
        sa.ForeignKeyConstraint(
            ["backfill_id"], ["backfills.id"], name="fk_backfill_parts_backfill_id", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    """Without a trace: what was stored stays."""
    op.drop_table("backfill_parts")
    op.drop_table("backfills")

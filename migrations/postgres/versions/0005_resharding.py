"""Pending lane maps, what lanes have given up for them, and generations by lane and segment."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A project's generation becomes a function of the lane and the segment."""
    op.add_column("lane_map", sa.Column("shared", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False))
    op.add_column("lane_map", sa.Column("state", sa.String(), server_default=sa.text("'published'"), nullable=False))
    op.create_index(
        "uq_lane_map_pending", "lane_map", ["state"], unique=True, postgresql_where=sa.text("state = 'pending'")
    )
    op.create_table(
        "lane_yields",
        sa.Column("map_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("segment", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("map_version", "lane", name="pk_lane_yields"),
    )
    op.create_table(
        "generations",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("from_segment", sa.BigInteger(), nullable=False),
        sa.Column("map_version", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "lane", "generation", name="pk_generations"),
    )
    op.create_index("ix_generations_lane", "generations", ["lane"])
    op.drop_column("projects", "generation")


def downgrade() -> None:
    """The older code knows published maps only."""
    op.add_column("projects", sa.Column("generation", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.drop_table("generations")
    op.drop_table("lane_yields")
    op.execute("DELETE FROM lane_map WHERE state <> 'published'")
    op.drop_index("uq_lane_map_pending", "lane_map")
    op.drop_column("lane_map", "state")
    op.drop_column("lane_map", "shared")

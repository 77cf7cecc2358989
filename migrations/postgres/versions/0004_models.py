"""Model definitions of projects."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "models",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("match_pattern", sa.String(), nullable=False),
        sa.Column("start_date", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("tokenizer_id", sa.String(), nullable=False),
        sa.Column("tokenizer_config", JSONB(), nullable=False),
        sa.Column("tiers", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_models_project_id", ondelete="CASCADE"),
        sa.UniqueConstraint(
            *("project_id", "unit", "start_date", "name"),
            name="uq_models_project_id_unit_start_date_name",
            postgresql_nulls_not_distinct=True,
        ),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("models")

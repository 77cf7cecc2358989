"""Connections to providers of models."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from migrations.postgres.audit import audited

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, whose changes are audited."""
    op.create_table(
        "llm_connections",
        *_texts("id", "project_id", "provider", "adapter", "secret_ciphertext", "secret_display"),
        sa.Column("base_url", sa.String(), nullable=True),
        sa.Column("custom_models", ARRAY(sa.String()), nullable=False),
        sa.Column("with_default_models", sa.Boolean(), nullable=False),
        *_texts("headers_ciphertext"),
        sa.Column("extra_header_keys", ARRAY(sa.String()), nullable=False),
        sa.Column("config", JSONB(), nullable=True),
        *(
            sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)
            for name in ("created_at", "updated_at")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_llm_connections"),
        sa.UniqueConstraint("project_id", "provider", name="uq_llm_connections_project_id_provider"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_llm_connections_project_id", ondelete="CASCADE"
        ),
    )
    op.execute(audited("llm_connections", "llmConnection", "id"))


def downgrade() -> None:
    """Drop it."""
    op.drop_table("llm_connections")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]

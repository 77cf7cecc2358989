"""Views of tables that people keep under a name."""

import sqlalchemy as sa
from alembic import op

from migrations.postgres.audit import audited

revision = "0026"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, whose changes are audited."""
    op.create_table(
        "saved_views",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("id", "project_id", "page", "name", "query")),
        sa.Column("author_user_id", sa.String(), nullable=True),
        *(
            sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)
            for name in ("created_at", "updated_at")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_saved_views"),
        sa.UniqueConstraint("project_id", "page", "name", name="uq_saved_views_project_id_page_name"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_saved_views_project_id", ondelete="CASCADE"),
    )
    op.execute(audited("saved_views", "savedView", "id"))


def downgrade() -> None:
    """Drop it."""
    op.drop_table("saved_views")

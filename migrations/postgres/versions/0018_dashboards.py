"""Dashboards and their widgets."""

import sqlalchemy as sa
from alembic import op

from migrations.postgres.audit import audited

revision = "0018"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, whose changes are audited."""
    _create("dashboards", _text("name"), _text("description"), _document("placements"), _document("filters"))
    _create("dashboard_widgets", _document("definition"))
    op.execute(audited("dashboards", "dashboard", "id"))
    op.execute(audited("dashboard_widgets", "dashboardWidget", "id"))


def downgrade() -> None:
    """Drop them."""
    op.drop_table("dashboard_widgets")
    op.drop_table("dashboards")


def _create(table: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        table,
        _text("id"),
        _text("project_id"),
        *columns,
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=f"fk_{table}_project_id", ondelete="CASCADE"),
    )
    op.create_index(f"ix_{table}_project_id_updated_at", table, ["project_id", "updated_at"])


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.String(), nullable=False)


def _document(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)

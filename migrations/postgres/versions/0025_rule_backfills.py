"""Runs of rules over what is stored already, and failures of sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None

_TARGET = ("run_id", "place", "part", "evaluator", "trace_id", "observation_id")


def upgrade() -> None:
    """Rules know their budget and their run; a failed target may be a session."""
    op.add_column("evaluation_rules", sa.Column("budget_usd", sa.Float(), nullable=True))
    op.add_column("evaluation_rules", _text("backfill_run_id"))
    op.add_column("evaluation_failures", _text("session_id"))
    _identify(*_TARGET, "session_id")


def downgrade() -> None:
    """What failed of sessions is forgotten."""
    op.execute("DELETE FROM evaluation_failures WHERE session_id != ''")
    _identify(*_TARGET)
    op.drop_column("evaluation_failures", "session_id")
    op.drop_column("evaluation_rules", "backfill_run_id")
    op.drop_column("evaluation_rules", "budget_usd")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False, server_default=sa.text("''"))


def _identify(*columns: str) -> None:
    op.drop_constraint("pk_evaluation_failures", "evaluation_failures", type_="primary")
    op.create_primary_key("pk_evaluation_failures", "evaluation_failures", list(columns))

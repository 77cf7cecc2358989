"""Budgets, and the runs that evaluate selections within them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.postgres.audit import audited

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; changes of runs are audited."""
    _create_budgets()
    _create_runs()
    _create_parts()
    _create_failures()
    op.execute(audited("evaluation_runs", "evaluationRun", "id"))


def downgrade() -> None:
    """Drop them."""
    for table in ("evaluation_failures", "evaluation_parts", "evaluation_runs", "budget_holds", "budgets"):
        op.drop_table(table)


def _create_budgets() -> None:
    op.create_table(
        "budgets",
        *_texts("id"),
        sa.Column("limit_units", sa.BigInteger(), nullable=True),
        *(
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for name in ("spent", "reserved", "unknown")
        ),
        _now("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_budgets"),
    )
    op.create_table(
        "budget_holds",
        *_texts("budget_id", "holder"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("granted", sa.Integer(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("budget_id", "holder", name="pk_budget_holds"),
        sa.ForeignKeyConstraint(["budget_id"], ["budgets.id"], name="fk_budget_holds_budget_id", ondelete="CASCADE"),
    )


def _create_runs() -> None:
    op.create_table(
        "evaluation_runs",
        *_texts("id", "project_id", "name", "table_name"),
        sa.Column("selection", JSONB(), nullable=False),
        sa.Column("evaluators", JSONB(), nullable=False),
        sa.Column("budget_units", sa.BigInteger(), nullable=True),
        sa.Column("sample", sa.Float(53), nullable=False),
        *_texts("on_existing", "state"),
        *(sa.Column(name, sa.String(), server_default=sa.text("''"), nullable=False) for name in ("cause", "reason")),
        sa.Column("estimate", JSONB(), nullable=False),
        _now("created_at"),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in ("started_at", "finished_at")),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation_runs"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_evaluation_runs_project_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_evaluation_runs_project_id_created_at", "evaluation_runs", ["project_id", "created_at"])
    op.create_index("ix_evaluation_runs_state", "evaluation_runs", ["state"])


def _create_parts() -> None:
    op.create_table(
        "evaluation_parts",
        *_texts("run_id", "place"),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in ("since", "until")),
        *_texts("state"),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_retry", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("report", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "place", "part", name="pk_evaluation_parts"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["evaluation_runs.id"], name="fk_evaluation_parts_run_id", ondelete="CASCADE"
        ),
    )


def _create_failures() -> None:
    op.create_table(
        "evaluation_failures",
        *_texts("run_id", "place"),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        *_texts("evaluator", "trace_id", "observation_id", "cause", "reason"),
        _now("failed_at"),
        sa.PrimaryKeyConstraint(
            *("run_id", "place", "part", "evaluator", "trace_id", "observation_id"), name="pk_evaluation_failures"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["evaluation_runs.id"], name="fk_evaluation_failures_run_id", ondelete="CASCADE"
        ),
    )


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)

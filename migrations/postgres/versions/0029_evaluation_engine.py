"""What models said is kept: answers and embeddings by the hash of what was asked, and batches at providers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0029"
down_revision = "0026"
branch_labels = None
depends_on = None

_ZERO = sa.text("0")
_TABLES = ("batch_answers", "judge_batches", "embeddings", "judge_answers")


def upgrade() -> None:
    """Create the tables; runs know how they ask, and ended jobs are found by their end."""
    op.add_column("evaluation_runs", sa.Column("mode", sa.String(), nullable=False, server_default=sa.text("'live'")))
    _of_content("judge_answers", sa.Column("answer", JSONB(), nullable=False))
    _of_content("embeddings", sa.Column("vector", sa.LargeBinary(), nullable=False))
    _create_batches()
    op.drop_index("ix_evaluation_jobs_target", "evaluation_jobs")
    open_jobs, ended = sa.text("status IN ('PENDING', 'RUNNING')"), sa.text("finished_at IS NOT NULL")
    op.create_index(
        "ix_evaluation_jobs_target", "evaluation_jobs", ["rule_id", "target_id"], postgresql_where=open_jobs
    )
    op.create_index("ix_evaluation_jobs_finished_at", "evaluation_jobs", ["finished_at"], postgresql_where=ended)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_evaluation_jobs_finished_at", "evaluation_jobs")
    op.drop_index("ix_evaluation_jobs_target", "evaluation_jobs")
    waiting = sa.text("status = 'PENDING'")
    op.create_index("ix_evaluation_jobs_target", "evaluation_jobs", ["rule_id", "target_id"], postgresql_where=waiting)
    for table in _TABLES:
        op.drop_table(table)
    op.drop_column("evaluation_runs", "mode")


def _of_content(table: str, content: "sa.Column[object]") -> None:
    """A table of what is known by the hash of its content."""
    op.create_table(
        table,
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        content,
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "key", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=f"fk_{table}_project_id", ondelete="CASCADE"),
    )
    op.create_index(f"ix_{table}_created_at", table, ["created_at"])


def _create_batches() -> None:
    op.create_table(
        "judge_batches",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("id", "run_id")),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("judge", JSONB(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("state", "provider_id", "reason")),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), server_default=_ZERO, nullable=False),
        sa.Column("spent", sa.BigInteger(), server_default=_ZERO, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_judge_batches"),
        _of_run("judge_batches"),
    )
    op.create_index("ix_judge_batches_run_id_part", "judge_batches", ["run_id", "part"])
    op.create_table(
        "batch_answers",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("run_id", "key")),
        sa.Column("answer", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "key", name="pk_batch_answers"),
        _of_run("batch_answers"),
    )


def _of_run(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["run_id"], ["evaluation_runs.id"], name=f"fk_{table}_run_id", ondelete="CASCADE")

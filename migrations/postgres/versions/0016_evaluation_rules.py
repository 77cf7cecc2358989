"""Evaluators, rules, and the jobs that come of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from migrations.postgres.audit import audited

revision = "0016"
down_revision = "0018"
branch_labels = None
depends_on = None

_TABLES = (
    "evaluation_jobs",
    "evaluation_cursors",
    "evaluation_rule_evaluators",
    "evaluation_rules",
    "evaluation_models",
    "evaluator_versions",
    "evaluators",
)


def upgrade() -> None:
    """Create the tables; changes of what is configured are audited."""
    _create_evaluators()
    _create_rules()
    _create_jobs()
    for table, resource_type, *key in (
        ("evaluators", "evalTemplate", "id"),
        ("evaluator_versions", "evalTemplate", "evaluator_id", "version"),
        ("evaluation_models", "evalDefaultModel", "project_id"),
        ("evaluation_rules", "job", "id"),
        ("evaluation_rule_evaluators", "job", "rule_id", "evaluator_id"),
    ):
        op.execute(audited(table, resource_type, *key))


def downgrade() -> None:
    """Drop them."""
    for table in _TABLES:
        op.drop_table(table)


def _create_evaluators() -> None:
    op.create_table(
        "evaluators",
        *_texts("id", "project_id", "name", "type"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_moments("created_at", "updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_evaluators"),
        sa.UniqueConstraint("project_id", "name", name="uq_evaluators_project_id_name"),
        _of_project("evaluators"),
    )
    op.create_table(
        "evaluator_versions",
        *_texts("evaluator_id"),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        *_texts("project_id", "prompt"),
        sa.Column("output", JSONB(), nullable=True),
        sa.Column("model", JSONB(), nullable=True),
        *_texts("source_code", "language"),
        *_moments("created_at"),
        sa.PrimaryKeyConstraint("evaluator_id", "version", name="pk_evaluator_versions"),
        sa.ForeignKeyConstraint(
            ["evaluator_id"], ["evaluators.id"], name="fk_evaluator_versions_evaluator_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "evaluation_models",
        *_texts("project_id"),
        sa.Column("model", JSONB(), nullable=False),
        *_moments("updated_at"),
        sa.PrimaryKeyConstraint("project_id", name="pk_evaluation_models"),
        _of_project("evaluation_models"),
    )


def _create_rules() -> None:
    op.create_table(
        "evaluation_rules",
        *_texts("id", "project_id", "name", "target"),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("sampling", sa.Float(), nullable=False),
        sa.Column("filter", JSONB(), nullable=False),
        sa.Column("delay_ms", sa.Integer(), nullable=False),
        sa.Column("time_scope", ARRAY(sa.String()), nullable=False),
        sa.Column("blocked_reason", sa.String(), nullable=True),
        sa.Column("blocked_message", sa.String(), nullable=True),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        *_moments("active_since", "created_at", "updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation_rules"),
        sa.UniqueConstraint("project_id", "name", name="uq_evaluation_rules_project_id_name"),
        _of_project("evaluation_rules"),
    )
    op.create_table(
        "evaluation_rule_evaluators",
        *_texts("rule_id", "evaluator_id", "project_id"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("mapping", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "evaluator_id", name="pk_evaluation_rule_evaluators"),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["evaluation_rules.id"], name="fk_evaluation_rule_evaluators_rule_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["evaluator_id"], ["evaluators.id"], name="fk_evaluation_rule_evaluators_evaluator_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_evaluation_rule_evaluators_evaluator_id", "evaluation_rule_evaluators", ["evaluator_id"])
    op.create_table(
        "evaluation_cursors",
        *_texts("project_id"),
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("segment", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "lane", name="pk_evaluation_cursors"),
        _of_project("evaluation_cursors"),
    )


def _create_jobs() -> None:
    op.create_table(
        "evaluation_jobs",
        *_texts("id", "project_id", "rule_id", "evaluator_id", "evaluator_version"),
        *_texts("target", "target_id", "trace_id"),
        sa.Column("target_version", sa.Numeric(20, 0), nullable=False),
        *_texts("status"),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verdict", JSONB(), nullable=True),
        *_texts("cause", "message"),
        sa.Column("score_ids", ARRAY(sa.String()), nullable=False),
        *_texts("execution_trace_id"),
        *_moments("created_at"),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation_jobs"),
        _of_project("evaluation_jobs"),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["evaluation_rules.id"], name="fk_evaluation_jobs_rule_id", ondelete="CASCADE"
        ),
    )
    open_jobs, waiting = sa.text("status IN ('PENDING', 'RUNNING')"), sa.text("status = 'PENDING'")
    op.create_index("ix_evaluation_jobs_due", "evaluation_jobs", ["due_at"], postgresql_where=open_jobs)
    op.create_index("ix_evaluation_jobs_target", "evaluation_jobs", ["rule_id", "target_id"], postgresql_where=waiting)
    op.create_index("ix_evaluation_jobs_rule_id_created_at", "evaluation_jobs", ["rule_id", "created_at"])
    op.create_index("ix_evaluation_jobs_project_id", "evaluation_jobs", ["project_id"])


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _moments(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False) for name in names]


def _of_project(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=f"fk_{table}_project_id", ondelete="CASCADE")

"""The table of evaluation jobs: one evaluator of one rule on one target in one state of it."""

from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, Numeric, String, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Moment, Table


class EvaluationJobRow(Table):
    """One job. Its id is derived from what it is about, so that nothing is judged twice.

    `asked_at` is when its judge was asked, which may have cost money whatever became of it; `verdict` is what came of
    it, kept before the scores are written.
    """

    __tablename__ = "evaluation_jobs"
    __table_args__ = (
        Index("ix_evaluation_jobs_due", "due_at", postgresql_where=text("status IN ('PENDING', 'RUNNING')")),
        Index("ix_evaluation_jobs_rule_id_created_at", "rule_id", "created_at"),
        Index(
            "ix_evaluation_jobs_target",
            "rule_id",
            "target_id",
            postgresql_where=text("status IN ('PENDING', 'RUNNING')"),
        ),
        Index("ix_evaluation_jobs_finished_at", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
        Index("ix_evaluation_jobs_project_id", "project_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    rule_id: Mapped[str] = mapped_column(ForeignKey("evaluation_rules.id", ondelete="CASCADE"))
    evaluator_id: Mapped[str]
    evaluator_version: Mapped[str]
    target: Mapped[str]
    target_id: Mapped[str]
    trace_id: Mapped[str]
    target_version: Mapped[Decimal] = mapped_column(Numeric(20, 0))
    status: Mapped[str]
    due_at: Mapped[Moment]
    attempts: Mapped[int]
    asked_at: Mapped[Moment | None]
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    cause: Mapped[str]
    message: Mapped[str]
    score_ids: Mapped[list[str]] = mapped_column(ARRAY(String))
    execution_trace_id: Mapped[str]
    created_at: Mapped[Created]
    finished_at: Mapped[Moment | None]

"""The tables of evaluation rules, and of how far each lane has been followed for them."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Moment, Table


class EvaluationRuleRow(Table):
    """One rule of a project."""

    __tablename__ = "evaluation_rules"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    target: Mapped[str]
    is_enabled: Mapped[bool]
    sampling: Mapped[float]
    filter: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    delay_ms: Mapped[int]
    time_scope: Mapped[list[str]] = mapped_column(ARRAY(String))
    blocked_reason: Mapped[str | None]
    blocked_message: Mapped[str | None]
    blocked_at: Mapped[Moment | None]
    active_since: Mapped[Created]
    budget_usd: Mapped[float | None]
    backfill_run_id: Mapped[str] = mapped_column(server_default=text("''"))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class RuleEvaluatorRow(Table):
    """An evaluator of a rule; without a mapping it is code, which is given everything."""

    __tablename__ = "evaluation_rule_evaluators"
    __table_args__ = (Index("ix_evaluation_rule_evaluators_evaluator_id", "evaluator_id"),)

    rule_id: Mapped[str] = mapped_column(ForeignKey("evaluation_rules.id", ondelete="CASCADE"), primary_key=True)
    evaluator_id: Mapped[str] = mapped_column(ForeignKey("evaluators.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[str]
    position: Mapped[int]
    mapping: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class RuleCursorRow(Table):
    """Up to which segment of a lane a project's rules have seen what is stored."""

    __tablename__ = "evaluation_cursors"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    lane: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    segment: Mapped[int] = mapped_column(BigInteger)

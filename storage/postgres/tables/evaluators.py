"""The tables of evaluators and of their versions."""

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Table


class EvaluatorRow(Table):
    """One evaluator of a project, whatever its versions."""

    __tablename__ = "evaluators"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    type: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class EvaluatorVersionRow(Table):
    """What one version says; it never changes."""

    __tablename__ = "evaluator_versions"

    evaluator_id: Mapped[str] = mapped_column(ForeignKey("evaluators.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    project_id: Mapped[str]
    prompt: Mapped[str]
    output: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    model: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    source_code: Mapped[str]
    language: Mapped[str]
    created_at: Mapped[Created]


class EvaluationModelRow(Table):
    """The model that a project's judges ask where their evaluators name none."""

    __tablename__ = "evaluation_models"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    model: Mapped[dict[str, Any]] = mapped_column(JSONB)
    updated_at: Mapped[Created]

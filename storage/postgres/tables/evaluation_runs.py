"""The tables of evaluation runs: what is evaluated, the parts of the work, and what failed of it."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, ForeignKeyConstraint, Index, Integer, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Moment, Table

_NOTHING = text("''")


class EvaluationRunRow(Table):
    """One run. `cause` and `reason` say why it is blocked."""

    __tablename__ = "evaluation_runs"
    __table_args__ = (
        ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_evaluation_runs_project_id", ondelete="CASCADE"),
        Index("ix_evaluation_runs_project_id_created_at", "project_id", "created_at"),
        Index("ix_evaluation_runs_state", "state"),
    )

    id: Mapped[Id]
    project_id: Mapped[str]
    name: Mapped[str]
    table_name: Mapped[str]
    selection: Mapped[dict[str, Any]] = mapped_column(JSONB)
    evaluators: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    budget_units: Mapped[int | None] = mapped_column(BigInteger)
    sample: Mapped[float] = mapped_column(Float(53))
    on_existing: Mapped[str]
    mode: Mapped[str] = mapped_column(server_default=text("'live'"))
    state: Mapped[str]
    cause: Mapped[str] = mapped_column(server_default=_NOTHING)
    reason: Mapped[str] = mapped_column(server_default=_NOTHING)
    estimate: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Created]
    started_at: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]


class EvaluationPartRow(Table):
    """A period of the selection's rows for the evaluators of one place. `report` counts what became of its rows."""

    __tablename__ = "evaluation_parts"
    __table_args__ = (
        ForeignKeyConstraint(["run_id"], ["evaluation_runs.id"], name="fk_evaluation_parts_run_id", ondelete="CASCADE"),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[Moment | None]
    until: Mapped[Moment | None]
    state: Mapped[str]
    attempt: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    is_retry: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    claimed_until: Mapped[Moment | None]
    report: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))


class EvaluationFailureRow(Table):
    """One target that an evaluator of a run has not judged, and why."""

    __tablename__ = "evaluation_failures"
    __table_args__ = (
        ForeignKeyConstraint(
            ["run_id"], ["evaluation_runs.id"], name="fk_evaluation_failures_run_id", ondelete="CASCADE"
        ),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    evaluator: Mapped[str] = mapped_column(primary_key=True)
    trace_id: Mapped[str] = mapped_column(primary_key=True)
    observation_id: Mapped[str] = mapped_column(primary_key=True)
    cause: Mapped[str]
    reason: Mapped[str]
    failed_at: Mapped[Created]

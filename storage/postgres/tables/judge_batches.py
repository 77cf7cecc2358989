"""The tables of what judges are asked by batches of their providers, and what they answered."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Moment, Table


class JudgeBatchRow(Table):
    """One batch of a part's questions. `spent` is in units of 10⁻¹² dollars."""

    __tablename__ = "judge_batches"
    __table_args__ = (Index("ix_judge_batches_run_id_part", "run_id", "part"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("evaluation_runs.id", ondelete="CASCADE"))
    part: Mapped[int]
    judge: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    provider_id: Mapped[str]
    reason: Mapped[str]
    requests: Mapped[int]
    answered: Mapped[int] = mapped_column(server_default=text("0"))
    spent: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    created_at: Mapped[Created]
    ended_at: Mapped[Moment | None]


class BatchAnswerRow(Table):
    """What a batch of a run said to one question, by the hash of it: an answer, or an error."""

    __tablename__ = "batch_answers"

    run_id: Mapped[str] = mapped_column(ForeignKey("evaluation_runs.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB)

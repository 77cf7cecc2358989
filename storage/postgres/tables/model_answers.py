"""The tables of what models said, by the hash of what was asked: no project asks again, or knows another's."""

from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Table


class JudgeAnswerRow(Table):
    """One answer of a judge."""

    __tablename__ = "judge_answers"
    __table_args__ = (Index("ix_judge_answers_created_at", "created_at"),)

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Created]


class EmbeddingRow(Table):
    """One text's vector: little-endian floats of 32 bits."""

    __tablename__ = "embeddings"
    __table_args__ = (Index("ix_embeddings_created_at", "created_at"),)

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Created]

"""The table of masking rules."""

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Table


class MaskingRuleRow(Table):
    """One rule of a project. It is never changed: another one takes its place."""

    __tablename__ = "masking_rules"
    __table_args__ = (UniqueConstraint("project_id", "kind", "field", "target"),)

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    kind: Mapped[str]
    target: Mapped[str]
    field: Mapped[str]
    replacement: Mapped[str]
    is_fail_closed: Mapped[bool]
    headers: Mapped[list[str]] = mapped_column(JSONB)
    created_at: Mapped[Created]

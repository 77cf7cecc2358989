"""The table of the audit log, which triggers write in the transaction of each change."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Identity, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Moment, Table


class AuditRow(Table):
    """One change: it refers to nothing, since it outlives what it tells of."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_organization_id_id", "organization_id", "id"),
        Index("ix_audit_log_project_id_id", "project_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[Moment] = mapped_column(server_default=func.clock_timestamp())
    actor_type: Mapped[str]
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    organization_id: Mapped[str | None]
    project_id: Mapped[str | None]
    resource_type: Mapped[str]
    resource_id: Mapped[str]
    action: Mapped[str]
    before: Mapped[Any | None] = mapped_column(JSON)
    after: Mapped[Any | None] = mapped_column(JSON)

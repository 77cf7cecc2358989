"""The table of projects."""

from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.postgres.tables.declarative import Created, Id, Moment, Table
from storage.postgres.tables.organizations import OrganizationRow


class ProjectRow(Table):
    """One project. One that is marked as deleted is gone for everybody, and soon altogether."""

    __tablename__ = "projects"
    __table_args__ = (
        Index(
            "uq_projects_organization_id_name",
            "organization_id",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    name: Mapped[str]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default=text("'{}'::jsonb"))
    retention_days: Mapped[int | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
    deleted_at: Mapped[Moment | None]

    organization: Mapped[OrganizationRow] = relationship(lazy="joined", innerjoin=True)

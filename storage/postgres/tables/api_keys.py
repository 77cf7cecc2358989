"""The table of API keys."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.postgres.tables.declarative import Created, Id, Moment, Table
from storage.postgres.tables.projects import ProjectRow


class ApiKeyRow(Table):
    """One key pair. Of the secret only a keyed digest is stored, and its ends, so that people can tell keys apart."""

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("public_key"),
        CheckConstraint("(project_id IS NULL) <> (organization_id IS NULL)", name="one_owner"),
        Index("ix_api_keys_project_id", "project_id"),
        Index("ix_api_keys_organization_id", "organization_id"),
    )

    id: Mapped[Id]
    public_key: Mapped[str]
    secret_digest: Mapped[str]
    secret_display: Mapped[str]
    note: Mapped[str] = mapped_column(server_default=text("''"))
    project_id: Mapped[str | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    created_at: Mapped[Created]
    expires_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]
    last_used_at: Mapped[Moment | None]

    project: Mapped[ProjectRow | None] = relationship(lazy="joined")

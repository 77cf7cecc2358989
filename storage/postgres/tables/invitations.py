"""The table of invitations."""

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Moment, Table


class InvitationRow(Table):
    """Someone who may become a member. Of the token that they show only a digest is stored."""

    __tablename__ = "invitations"
    __table_args__ = (UniqueConstraint("organization_id", "email"), UniqueConstraint("token_digest"))

    id: Mapped[Id]
    email: Mapped[str]
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    role: Mapped[str]
    project_id: Mapped[str | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    project_role: Mapped[str | None]
    token_digest: Mapped[str]
    created_at: Mapped[Created]
    expires_at: Mapped[Moment]

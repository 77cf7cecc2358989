"""The table of users."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from storage.postgres.tables.declarative import Created, Id, Table


class UserRow(Table):
    """One user. Addresses are stored in lower case; a user without a password cannot sign in with one."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("email"),)

    id: Mapped[Id]
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str | None]
    created_at: Mapped[Created]

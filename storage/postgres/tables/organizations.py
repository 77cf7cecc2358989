"""The table of organizations."""

from sqlalchemy.orm import Mapped

from storage.postgres.tables.declarative import Created, Id, Table


class OrganizationRow(Table):
    """One organization."""

    __tablename__ = "organizations"

    id: Mapped[Id]
    name: Mapped[str]
    created_at: Mapped[Created]

"""The tables of dashboards and of their widgets."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.postgres.tables.declarative import Created, Id, Table


class DashboardRow(Table):
    """One dashboard of a project, with the places of its widgets."""

    __tablename__ = "dashboards"
    __table_args__ = (Index("ix_dashboards_project_id_updated_at", "project_id", "updated_at"),)

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    description: Mapped[str]
    placements: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    # JSON, not JSONB, which does not know the character NUL: filters compare with any text.
    filters: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class WidgetRow(Table):
    """One widget of a project; what it asks and how it is drawn is one document, which is read as a whole."""

    __tablename__ = "dashboard_widgets"
    __table_args__ = (Index("ix_dashboard_widgets_project_id_updated_at", "project_id", "updated_at"),)

    id: Mapped[Id]
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
